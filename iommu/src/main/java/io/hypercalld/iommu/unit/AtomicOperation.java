package io.hypercalld.iommu.unit;

/**
 * What an atomic request does to memory; memory's old value goes back to the device. Immutable.
 *
 * @see "PCIe Base Specification §6.15"
 */
public enum AtomicOperation {
  /** Memory becomes the sum, the carry lost. */
  FETCH_ADD {
    @Override
    long apply(long old, long operand) {
      return old + operand;
    }
  },

  /** Memory becomes the operand. */
  SWAP {
    @Override
    long apply(long old, long operand) {
      return operand;
    }
  };

  abstract long apply(long old, long operand);
}
