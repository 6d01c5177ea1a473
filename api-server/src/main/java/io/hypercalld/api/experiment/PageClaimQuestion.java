package io.hypercalld.api.experiment;

import io.hypercalld.api.json.InvalidBody;
import io.hypercalld.api.json.Size;
import io.hypercalld.core.hypercall.OrElse;
import io.hypercalld.ioreq.server.ClaimPolicies.ClaimUpdate;
import java.util.List;

/**
 * What pages that device models claim cost: page tables of a graphics processor in a guest's
 * memory, written by the guest. Immutable.
 *
 * @param memory of the guest, all mapped by leaves of 4 KiB
 * @param contexts how many full page tables there are at most; each number from 1 is tried
 * @param writes of eight bytes that the guest makes for each number
 * @param seed of where pages and writes are
 * @param updates when entries follow a claim, one after the other
 */
public record PageClaimQuestion(
    @OrElse("\"4GiB\"") Size memory,
    @OrElse("8") int contexts,
    @OrElse("10000") int writes,
    @OrElse("1") long seed,
    @OrElse("[\"lazy\",\"eager\",\"indexed\",\"protect-at-tag\"]") List<ClaimUpdate> updates) {
  /** Pages of one full page table: three levels of directories, and the tables. */
  static final int TABLE_PAGES = 2048 + 4;

  private static final int MOST_CONTEXTS = 8;
  private static final int MOST_WRITES = 1_000_000;
  private static final long LEAST_MEMORY = 128L << 20;
  private static final long MOST_MEMORY = 64L << 30;
  private static final long LEAF = 2L << 20;

  /**
   * Checks what would make no experiment.
   *
   * @throws InvalidBody where something would not
   */
  public PageClaimQuestion {
    updates = List.copyOf(updates);
    long bytes = memory.bytes();
    if (bytes < LEAST_MEMORY || bytes > MOST_MEMORY || bytes % LEAF != 0) {
      throw InvalidBody.at("/memory", "a multiple of 2MiB from 128MiB to 64GiB is needed");
    }
    if (contexts < 1 || contexts > MOST_CONTEXTS) {
      throw InvalidBody.at("/contexts", "1 to %d contexts are tried", MOST_CONTEXTS);
    }
    if (writes < 1 || writes > MOST_WRITES) {
      throw InvalidBody.at("/writes", "1 to %d writes are made", MOST_WRITES);
    }
  }
}
