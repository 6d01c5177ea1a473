package io.hypercalld.api.experiment;

import io.hypercalld.api.json.InvalidBody;
import io.hypercalld.api.json.Size;
import io.hypercalld.core.hypercall.OrElse;
import java.util.List;

/**
 * What shadows cost. Immutable.
 *
 * @param maps pages that the guest maps, has forgotten where it must, uses once, and unmaps
 * @param batch unmapped pages that the guest has forgotten together
 * @param present of device addresses, mapped by pages of 4 KiB beside those
 * @param scopes how much the guest has forgotten at a time, one trial each with each policy
 * @param costs in nanoseconds, for the rate of mapping and unmapping
 */
public record ShadowCostsQuestion(
    @OrElse("256") int maps,
    @OrElse("32") int batch,
    @OrElse("\"16MiB\"") Size present,
    @OrElse("[\"page\",\"domain\",\"global\"]") List<ShadowCostsExperiment.Scope> scopes,
    @OrElse("{}") Costs costs) {
  private static final int MOST_MAPS = 4096;
  private static final long MOST_PRESENT = 4L << 30;

  /**
   * What each thing takes.
   *
   * @param exit the guest's store to a register
   * @param entryRead of a table of the guest's
   * @param entryWrite of a shadow
   * @param flush an invalidation command to the machine's unit, and the wait for it
   */
  public record Costs(
      @OrElse("1500") long exit,
      @OrElse("10") long entryRead,
      @OrElse("10") long entryWrite,
      @OrElse("1000") long flush) {}

  /**
   * Checks what would make no experiment.
   *
   * @throws InvalidBody where it would not
   */
  public ShadowCostsQuestion {
    scopes = List.copyOf(scopes);
    if (maps < 1 || maps > MOST_MAPS) {
      throw InvalidBody.at("/maps", "1 to %d pages are mapped", MOST_MAPS);
    }
    if (batch < 1 || batch > maps) {
      throw InvalidBody.at("/batch", "1 to %d are forgotten together", maps);
    }
    if (present.bytes() % (2 << 20) != 0 || present.bytes() > MOST_PRESENT) {
      throw InvalidBody.at("/present", "a multiple of 2MiB up to 4GiB is needed");
    }
  }
}
