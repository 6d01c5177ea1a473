package io.hypercalld.iommu.vtd;

/**
 * What decides which descriptors an invalidation queue takes. Immutable.
 *
 * @param wide IQA.DW: descriptors have 256 bits
 * @param scalable whether the latched root pointer is one of scalable mode
 */
public record QueueMode(Capabilities capabilities, boolean wide, boolean scalable) {
  /** Bytes of one descriptor. */
  public int descriptorBytes() {
    return wide ? InvalidationDescriptor.WIDE_BYTES : InvalidationDescriptor.BYTES;
  }
}
