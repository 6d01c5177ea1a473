package io.hypercalld.api.driver;

import io.hypercalld.core.dma.DmaMode;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.p2m.Gfn;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * What a driver did, and where its bytes ended. Immutable.
 *
 * @param failure the first step that did not succeed
 * @param victims frames that its device used and that it did not mean
 */
public record DriverReport(
    Driver driver,
    DmaMode mode,
    Verdict verdict,
    Optional<Step> failure,
    List<Step> steps,
    List<Victim> victims,
    Costs costs) {
  public DriverReport {
    steps = List.copyOf(steps);
    victims = List.copyOf(victims);
  }

  /** How it ended. */
  public enum Verdict {
    /** Every access was where the driver meant it, and so are the bytes. */
    RIGHT_FRAME,
    /** An access was elsewhere, and nothing stopped it. */
    WRONG_FRAME,
    /** The remapping unit, or the bus, stopped an access. */
    FAULT,
    /** The bytes are where no device looks. */
    LOST,
    /** The driver did not come so far: a step before was refused. */
    REFUSED;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }

  /**
   * One thing that it did.
   *
   * @param primitive as its source would have it: {@code dma_map_sg}
   * @param done whether it succeeded
   */
  public record Step(String primitive, boolean done, String detail) {}

  /**
   * A frame that was used by mistake.
   *
   * @param owner the domain that has it; empty where none has
   * @param gfn where its owner sees it
   */
  public record Victim(Mfn mfn, Optional<Integer> owner, Optional<Gfn> gfn, String use) {}

  /**
   * What it took.
   *
   * @param map hypercalls to make buffers ready for the device
   * @param unmap hypercalls to take them back
   * @param other hypercalls besides
   * @param accesses of the device's, one a page
   * @param unmapped those of them that no mapping of the DMA API covered
   * @param bytesBounced copied for it
   */
  public record Costs(
      long map, long unmap, long other, long accesses, long unmapped, long bytesBounced) {}
}
