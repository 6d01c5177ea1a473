package io.hypercalld.core.memory;

/** The three page sizes of x86 second-level paging, smallest first. */
public enum PageSize {
  SIZE_4K(1),
  SIZE_2M(2),
  SIZE_1G(3);

  /** log2 of the smallest page in bytes. */
  public static final int SHIFT_4K = 12;

  /** Bytes of the smallest page and of a frame. */
  public static final int BYTES_4K = 1 << SHIFT_4K;

  private static final int BITS_PER_LEVEL = 9;

  private final int level;
  private final int order;

  PageSize(int level) {
    this.level = level;
    this.order = (level - 1) * BITS_PER_LEVEL;
  }

  /** The size that is a leaf at {@code level}, 1 being the lowest. */
  public static PageSize ofLevel(int level) {
    return switch (level) {
      case 1 -> SIZE_4K;
      case 2 -> SIZE_2M;
      case 3 -> SIZE_1G;
      default -> throw new IllegalArgumentException("no leaf at level " + level);
    };
  }

  /** log2 of the number of 4 KiB frames. */
  public int order() {
    return order;
  }

  /** Number of 4 KiB frames. */
  public long frames() {
    return 1L << order;
  }

  /** Number of bytes. */
  public long bytes() {
    return 1L << shift();
  }

  /** log2 of the number of bytes. */
  public int shift() {
    return order + SHIFT_4K;
  }

  /** The page-table level at which this size is a leaf: 1, 2 or 3. */
  public int level() {
    return level;
  }
}
