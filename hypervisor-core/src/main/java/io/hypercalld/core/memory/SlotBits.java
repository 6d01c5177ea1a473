package io.hypercalld.core.memory;

import java.util.Arrays;
import java.util.function.IntToLongFunction;

/** Bits that the words of a page have by where they lie in it, besides what they say. Immutable. */
public final class SlotBits {
  private static final int SLOTS = PageSize.BYTES_4K / Long.BYTES;

  private final long mask;
  private final long[] words = new long[SLOTS];

  /**
   * Bits for the 512 slots of a page.
   *
   * @param mask all that any slot may have; these do not count when words are compared
   */
  public SlotBits(long mask, IntToLongFunction bits) {
    this.mask = mask;
    Arrays.setAll(words, bits);
  }

  long mask() {
    return mask;
  }

  /** The bits by slot; not to be written. */
  long[] words() {
    return words;
  }

  static int slot(long maddr) {
    return (int) (maddr & (PageSize.BYTES_4K - 1)) / Long.BYTES;
  }
}
