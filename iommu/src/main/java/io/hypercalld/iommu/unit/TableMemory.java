package io.hypercalld.iommu.unit;

/**
 * The memory that holds tables, as walks see it: words at addresses, some of them unreadable.
 * Confined to the machine thread.
 *
 * <p>Narrow so that the same walks can read tables that lie elsewhere than in machine memory.
 */
public interface TableMemory {
  /** Whether a table may lie at the address. */
  boolean isReadable(long address);

  /** The word at {@code address}, a multiple of 8, which is readable. */
  long readWord(long address);

  /**
   * Sets bits of a word in one step.
   *
   * @param address a multiple of 8, which is readable
   */
  void setBits(long address, long bits);
}
