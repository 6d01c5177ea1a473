package io.hypercalld.iommu.vtd;

/**
 * A unit's register window as software sees it: naturally aligned loads and stores by byte offset.
 *
 * <p>An offset that no register claims, an unaligned one included, reads as zero and ignores
 * writes.
 *
 * @see "VT-d §11.2"
 */
public interface Mmio {
  /** The 32 bits at {@code offset}, a multiple of 4. */
  int read32(int offset);

  /** Stores 32 bits at {@code offset}, a multiple of 4. */
  void write32(int offset, int value);

  /** The 64 bits at {@code offset}, a multiple of 8. */
  long read64(int offset);

  /** Stores 64 bits at {@code offset}, a multiple of 8. */
  void write64(int offset, long value);
}
