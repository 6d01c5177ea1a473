package io.hypercalld.core.dma;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import java.util.BitSet;

/**
 * Which pages of a remapped bus a kernel has given away. Confined to the machine thread.
 *
 * <p>A buffer gets the addresses that it has in the kernel's memory where they are free, so that
 * who confuses the two is right as often as can be; others are first fit.
 *
 * @see "Linux drivers/iommu/iova.c"
 */
final class BusPages implements Digestible {
  /** Page 0 is never given away: a driver takes address 0 for none. */
  private static final int FIRST = 1;

  /** Requests to these pages are interrupts, and never translated. */
  private static final int INTERRUPTS = 0xfee00;

  private static final int INTERRUPTS_END = 0xfef00;

  /** Pages that remapping reaches: addresses of 39 bits. */
  private static final long MOST = 1L << 27;

  private final BitSet taken = new BitSet();

  BusPages() {
    taken.set(0, FIRST);
    taken.set(INTERRUPTS, INTERRUPTS_END);
  }

  /**
   * Gives away consecutive pages.
   *
   * @param wanted first of those that are best
   * @param end first page that the device cannot name
   * @throws Refusal ENOMEM where there are none
   */
  long take(long wanted, int pages, long end) {
    long limit = Math.min(end, MOST);
    long first = isFree(wanted, pages, limit) ? wanted : firstFit(pages);
    if (first + pages > limit) {
      throw Refusal.of(Errno.ENOMEM, "no %d pages of the bus are free below page 0x%x", pages, end);
    }
    taken.set((int) first, (int) first + pages);
    return first;
  }

  private boolean isFree(long first, int pages, long limit) {
    return first + pages <= limit && nextTaken((int) first) >= first + pages;
  }

  private long firstFit(int pages) {
    int first = taken.nextClearBit(FIRST);
    while (nextTaken(first) - first < pages) {
      first = taken.nextClearBit(taken.nextSetBit(first));
    }
    return first;
  }

  private long nextTaken(int page) {
    int next = taken.nextSetBit(page);
    return next < 0 ? Long.MAX_VALUE : next;
  }

  void giveBack(long first, int pages) {
    taken.clear((int) first, (int) first + pages);
  }

  @Override
  public void digest(StateDigest digest) {
    long[] words = taken.toLongArray();
    digest.section("bus-pages").put(words.length);
    for (long word : words) {
      digest.put(word);
    }
  }
}
