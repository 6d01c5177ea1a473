package io.hypercalld.iommu.driver;

/**
 * How much memory each DMA table takes: its own 4 KiB, or a frame of 16 KiB of which it uses the
 * first quarter, as ia64's allocator gave it. Immutable.
 *
 * @see "xen/arch/ia64/xen/mm.c, alloc_pgtable_maddr (2008)"
 */
public enum TableFrameSize {
  FRAME_4K(0, "4KiB"),
  FRAME_16K(2, "16KiB");

  private static final int FRAME_BYTES = 4096;

  private final int order;
  private final String text;

  TableFrameSize(int order, String text) {
    this.order = order;
    this.text = text;
  }

  /** log2 of the number of 4 KiB frames. */
  int order() {
    return order;
  }

  /** Number of 4 KiB frames. */
  long frames() {
    return 1L << order;
  }

  /** Bytes of machine memory. */
  public long bytes() {
    return frames() * FRAME_BYTES;
  }

  /** As policies spell it. */
  @Override
  public String toString() {
    return text;
  }
}
