package io.hypercalld.core.memory;

/**
 * Where one page of 4 KiB leads and what may be done there, in a word: the frame above, bit 0 for
 * reading, bit 1 for writing; zero where it leads nowhere. Never instantiated.
 */
public final class PageWord {
  public static final long ABSENT = 0;

  /** From a page's word to that of the page behind it. */
  public static final long STEP = 4;

  public static final int READ = 1;
  public static final int WRITE = 2;

  private static final int FRAME_SHIFT = 2;
  private static final long RIGHTS = READ | WRITE;

  private PageWord() {}

  /**
   * The word of a page.
   *
   * @param rights {@link #READ}, {@link #WRITE} or both
   */
  public static long of(long frame, int rights) {
    return frame << FRAME_SHIFT | rights;
  }

  public static long frame(long word) {
    return word >>> FRAME_SHIFT;
  }

  public static int rights(long word) {
    return (int) (word & RIGHTS);
  }

  /** The word of a page so many pages behind one that leads somewhere. */
  public static long after(long word, long pages) {
    return word + pages * STEP;
  }

  /** What the second word says, as far as the first permits it, too. */
  public static long through(long first, long second) {
    long rights = first & second & RIGHTS;
    return rights == 0 ? ABSENT : (second & ~RIGHTS) | rights;
  }
}
