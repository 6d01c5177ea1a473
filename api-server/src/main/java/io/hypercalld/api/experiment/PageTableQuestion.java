package io.hypercalld.api.experiment;

import io.hypercalld.api.json.InvalidBody;
import io.hypercalld.api.json.Size;
import io.hypercalld.core.hypercall.OrElse;
import java.util.List;

/**
 * What devices' tables cost, mode by mode. Immutable.
 *
 * @param memory of the guest: a multiple of 16 KiB
 * @param operations random changes of the P2M, each followed by a DMA and a guest access
 * @param seed of the work, which is the same for each mode
 * @param sweep how much of its memory the guest touches page by page, from 0 on
 */
public record PageTableQuestion(
    @OrElse("\"64MiB\"") Size memory,
    @OrElse("1000") int operations,
    @OrElse("1") long seed,
    @OrElse("\"0\"") Size sweep,
    @OrElse(
            "[\"separate-4K\",\"separate-4K-in-16K\",\"separate-2M\",\"separate-1G\","
                + "\"shared-4K\"]")
        List<TableMode> modes) {
  private static final long GRANULE = 16 << 10;
  private static final long MOST_MEMORY = 256L << 30;
  private static final int MOST_OPERATIONS = 1_000_000;

  /**
   * Checks what would make no experiment.
   *
   * @throws InvalidBody where something would not
   */
  public PageTableQuestion {
    modes = List.copyOf(modes);
    if (memory.bytes() == 0 || memory.bytes() % GRANULE != 0 || memory.bytes() > MOST_MEMORY) {
      throw InvalidBody.at("/memory", "a multiple of 16KiB up to 256GiB is needed");
    }
    if (operations < 0 || operations > MOST_OPERATIONS) {
      throw InvalidBody.at("/operations", "0 to %d operations are made", MOST_OPERATIONS);
    }
    if (sweep.bytes() > memory.bytes()) {
      throw InvalidBody.at("/sweep", "the guest has only %s", memory);
    }
  }
}
