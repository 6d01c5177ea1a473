package io.hypercalld.iommu.vtd;

/**
 * The megabyte of addresses to which writes are interrupts and nothing else. Stateless.
 *
 * @see "VT-d §3.14"
 */
public final class InterruptRange {
  private static final int SHIFT = 20;
  private static final long MEGABYTE = 0xfee;

  /** The first address of the range. */
  public static final long BASE = MEGABYTE << SHIFT;

  /** The first address after the range. */
  public static final long END = (MEGABYTE + 1) << SHIFT;

  private InterruptRange() {}

  /** Whether {@code address} lies in {@code 0xfee00000} to {@code 0xfeefffff}. */
  public static boolean contains(long address) {
    return address >>> SHIFT == MEGABYTE;
  }

  /** Whether a page of 2^shift bytes at {@code address} and the range have an address in common. */
  public static boolean intersects(long address, int shift) {
    return shift > SHIFT ? MEGABYTE >>> (shift - SHIFT) == address >>> shift : contains(address);
  }
}
