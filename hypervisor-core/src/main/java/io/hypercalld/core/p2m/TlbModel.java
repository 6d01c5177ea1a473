package io.hypercalld.core.p2m;

import java.util.Arrays;

/**
 * A small cache of translations as a processor has one, kept only to count how often it has to be
 * filled. Confined to the machine thread.
 *
 * <p>128 entries, each of the size of the leaf that it came from, found by the lowest bits of the
 * leaf's number.
 *
 * @see "Intel Itanium 2 Processor Reference Manual, 5.3: 128 entries of data translation"
 */
final class TlbModel {
  private static final int ENTRIES = 128;
  private static final int ORDER_BITS = 6;

  /** Leaf's number and order; 0 where there is none. */
  private final long[] cached = new long[ENTRIES];

  /** Notes an access through a leaf; whether it had to be inserted for that. */
  boolean insert(long gfn, int order) {
    long leaf = gfn >>> order;
    long tag = ((leaf + 1) << ORDER_BITS) | order;
    int at = (int) (leaf & (ENTRIES - 1));
    boolean missed = cached[at] != tag;
    cached[at] = tag;
    return missed;
  }

  void flush() {
    Arrays.fill(cached, 0);
  }
}
