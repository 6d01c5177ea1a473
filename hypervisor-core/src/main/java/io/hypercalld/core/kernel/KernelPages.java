package io.hypercalld.core.kernel;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mRun;
import io.hypercalld.core.p2m.P2mTable;
import io.hypercalld.core.p2m.P2mType;
import java.util.BitSet;
import java.util.Optional;

/**
 * Pages of a domain's memory that its kernel keeps for itself and its drivers. Confined to the
 * machine thread.
 *
 * <p>They are the last ones below 4 GiB that follow each other, and given away in blocks of a power
 * of two at a multiple of their size, the lowest first.
 */
public final class KernelPages implements Digestible {
  private static final long FOUR_GIB = 0x10_0000;

  private final BitSet taken = new BitSet();
  private final long first;
  private final int count;

  private KernelPages(long first, int count) {
    this.first = first;
    this.count = count;
  }

  /**
   * Finds them in a domain's memory.
   *
   * @param count how many, a multiple of {@code alignment}
   * @param alignment a multiple of which the first one is
   * @throws Refusal ENOMEM where there are not so many in a row
   */
  static KernelPages within(P2mTable p2m, int count, Gfn alignment) {
    long found = -1;
    long begin = 0;
    long end = 0;
    Optional<P2mRun> next = p2m.nextRun(new Gfn(0));
    while (next.isPresent()) {
      P2mRun run = next.get();
      long behind = run.gfn().value() + (run.count() << run.order());
      if (run.type() == P2mType.RAM_RW) {
        begin = run.gfn().value() == end ? begin : run.gfn().value();
        end = behind;
        long from = (end - count) / alignment.value() * alignment.value();
        boolean low = found < 0 || end <= FOUR_GIB;
        found = from >= begin && low ? from : found;
      }
      next = p2m.nextRun(new Gfn(behind));
    }
    if (found < 0) {
      throw Refusal.of(Errno.ENOMEM, "the kernel has no %d pages of RAM in a row", count);
    }
    return new KernelPages(found, count);
  }

  /** The first of them. */
  public Gfn first() {
    return new Gfn(first);
  }

  public int count() {
    return count;
  }

  /** How many are given away. */
  public int used() {
    return taken.cardinality();
  }

  /** Whether a page is one of them. */
  public boolean contains(Gfn gfn) {
    return gfn.value() >= first && gfn.value() < first + count;
  }

  /**
   * Gives away a block.
   *
   * @param order log2 of its pages
   * @throws Refusal ENOMEM
   */
  public Gfn take(int order) {
    int pages = 1 << order;
    int aligned = (int) (-first & (pages - 1));
    for (int at = aligned; at + pages <= count; at += pages) {
      int next = taken.nextSetBit(at);
      if (next < 0 || next >= at + pages) {
        taken.set(at, at + pages);
        return new Gfn(first + at);
      }
    }
    throw Refusal.of(Errno.ENOMEM, "the kernel has no %d pages left", pages);
  }

  /** Takes a block back. */
  public void giveBack(Gfn block, int order) {
    int at = (int) (block.value() - first);
    taken.clear(at, at + (1 << order));
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("kernel-pages").put(first).put(count);
    long[] words = taken.toLongArray();
    digest.put(words.length);
    for (long word : words) {
      digest.put(word);
    }
  }
}
