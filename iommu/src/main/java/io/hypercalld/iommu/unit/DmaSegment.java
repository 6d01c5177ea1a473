package io.hypercalld.iommu.unit;

import io.hypercalld.core.memory.PageSize;
import io.hypercalld.iommu.vtd.FaultReason;

/**
 * What became of the part of a DMA that lies in one 4 KiB page. Immutable.
 *
 * @param iova address in the request
 * @param length bytes, 0 to 4096
 * @param end what became of it
 */
public record DmaSegment(long iova, int length, End end) {
  /** What became of the bytes. */
  public sealed interface End {}

  /**
   * The bytes moved.
   *
   * @param maddr machine address of the first
   * @param page size of the page that translated the request
   * @param iotlbHit whether the IOTLB answered
   * @param contextHit whether the context cache answered
   */
  public record Moved(long maddr, PageSize page, boolean iotlbHit, boolean contextHit)
      implements End {}

  /**
   * A unit blocked the request with a fault.
   *
   * @param recorded whether the unit's log took it; not where FPD or an overflow kept it out
   */
  public record Faulted(FaultReason reason, boolean recorded) implements End {}

  /** A unit blocked the request because it touches a protected memory region. */
  public record Protected() implements End {}

  /** The write was an interrupt request, and it was delivered or posted. */
  public record Interrupt(InterruptOutcome outcome) implements End {}

  /** The request passed the unit, but nothing answers at this machine address. */
  public record MasterAbort(long maddr) implements End {}

  /** The request is one that the fabric does not carry, for the given reason. */
  public record Unsupported(String why) implements End {}

  /** Whether the request had its effect. */
  public boolean isDone() {
    return end instanceof Moved || end instanceof Interrupt;
  }
}
