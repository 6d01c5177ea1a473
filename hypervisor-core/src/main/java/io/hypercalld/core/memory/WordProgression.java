package io.hypercalld.core.memory;

/**
 * Words at equal distances, as the entries of leaves that follow each other are. Immutable.
 *
 * @param step from one to the next: 0 or a power of two
 */
/*
 * What the loops here cost is what writing tables costs. They go over arrays, which are copied from
 * and to memory as a whole: a loop over a memory segment is as fast only as long as all the layers
 * below one access are inlined, which in a larger method they are not. And they take indices from an
 * array and shift them: a product or a running sum would not be compiled to vector instructions.
 */
public record WordProgression(long first, long step) {
  /** Most words that are handled at once: those of the largest table. */
  public static final int MOST = 1 << 13;

  private static final long[] INDEX = new long[MOST];

  static {
    for (int i = 0; i < MOST; i++) {
      INDEX[i] = i;
    }
  }

  public WordProgression {
    if (Long.bitCount(step) > 1) {
      throw new IllegalArgumentException("0x" + Long.toHexString(step) + " is no power of two");
    }
  }

  /** The word after {@code index} others. */
  public long at(long index) {
    return first + index * step;
  }

  /** Stores the first {@code count} words in the array. */
  void fill(long[] words, int count) {
    int shift = shift();
    long mask = mask();
    for (int i = 0; i < count; i++) {
      words[i] = first + ((INDEX[i] << shift) & mask);
    }
  }

  /**
   * Stores words with further bits in the array's slots from one to another, exclusive, and says
   * what was there before, but for these bits.
   */
  Replaced replace(long[] words, int from, int end, SlotBits further) {
    long[] added = further.words();
    long bits = ~further.mask();
    int shift = shift();
    long mask = mask();
    // One index for all arrays: only then is the loop compiled to vector instructions.
    long zeroth = first - from * step;
    long others = 0;
    long any = 0;
    for (int i = from; i < end; i++) {
      long word = zeroth + ((INDEX[i] << shift) & mask);
      long differs = (words[i] ^ word) & bits;
      long other = (differs | -differs) >>> (Long.SIZE - 1);
      others += other;
      any |= words[i] & -other;
      words[i] = word | added[i];
    }
    return new Replaced((int) others, any);
  }

  /** How many of the first {@code count} words the array has otherwise, of the mask's bits. */
  public int countOthers(long[] words, int count, long bits) {
    int shift = shift();
    long mask = mask();
    long others = 0;
    for (int i = 0; i < count; i++) {
      long differs = (words[i] ^ (first + ((INDEX[i] << shift) & mask))) & bits;
      others += (differs | -differs) >>> (Long.SIZE - 1);
    }
    return (int) others;
  }

  /** Whether the first {@code count} words of the array are the progression's. */
  public boolean isOf(long[] words, int count) {
    int shift = shift();
    long mask = mask();
    long others = 0;
    for (int i = 0; i < count; i++) {
      others |= words[i] ^ (first + ((INDEX[i] << shift) & mask));
    }
    return others == 0;
  }

  /** How many words, of {@code count}, the array begins with as the progression does. */
  public int length(long[] words, int count) {
    int length = 0;
    while (length < count && words[length] == at(length)) {
      length++;
    }
    return length;
  }

  private int shift() {
    return Long.numberOfTrailingZeros(step);
  }

  /** A shift by 64 is none, so that a step of 0 needs one more thing to be no step. */
  private long mask() {
    return step == 0 ? 0 : -1;
  }
}
