package io.hypercalld.core.p2m;

import io.hypercalld.core.memory.PageSize;

/**
 * The shape of a P2M: its smallest leaf, and tables of that same size.
 *
 * <p>{@link #GRANULE_4K} is x86's and the only one whose leaves may be larger than the granule. The
 * others are ia64's, built with another page size: three levels, all leaves alike.
 *
 * @see "SDM Vol. 3, 30.3.2; xen/include/asm-ia64/page.h, PAGE_SHIFT"
 */
public enum P2mGeometry {
  GRANULE_4K(0, 4),
  GRANULE_8K(1, 3),
  GRANULE_16K(2, 3),
  GRANULE_64K(4, 3);

  private static final int ENTRY_SHIFT = 3;

  private final int granuleOrder;
  private final int levels;

  P2mGeometry(int granuleOrder, int levels) {
    this.granuleOrder = granuleOrder;
    this.levels = levels;
  }

  /** log2 of the 4 KiB frames of the smallest leaf and of a table. */
  public int granuleOrder() {
    return granuleOrder;
  }

  /** 4 KiB frames of the smallest leaf and of a table. */
  public int granuleFrames() {
    return 1 << granuleOrder;
  }

  /** Bytes of a table. */
  public int tableBytes() {
    return PageSize.BYTES_4K << granuleOrder;
  }

  /** Entries of a table. */
  public int entries() {
    return 1 << indexBits();
  }

  /** log2 of the entries of a table. */
  public int indexBits() {
    return PageSize.SHIFT_4K + granuleOrder - ENTRY_SHIFT;
  }

  /** Levels of tables, the root's included. */
  public int levels() {
    return levels;
  }

  /** Bits of a guest frame number of 4 KiB that the levels translate. */
  public int gfnBits() {
    return granuleOrder + levels * indexBits();
  }

  /** log2 of the 4 KiB frames that an entry of the level covers; the lowest level is 1. */
  public int order(int level) {
    return granuleOrder + (level - 1) * indexBits();
  }

  /** Whether leaves larger than the granule exist. */
  public boolean hasSuperpages() {
    return this == GRANULE_4K;
  }

  /** Tables that map as many 4 KiB frames from 0 on, all by the smallest leaves; with the root. */
  public long tablesFor(long frames) {
    long tables = 0;
    for (int level = 1; level <= levels; level++) {
      int order = order(level + 1);
      tables += Math.max(1, (frames + (1L << order) - 1) >>> order);
    }
    return tables;
  }
}
