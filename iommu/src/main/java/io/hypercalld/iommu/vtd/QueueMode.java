package io.hypercalld.iommu.vtd;

/**
 * What decides which descriptors an invalidation queue takes. Immutable.
 *
 * @param wide IQA.DW: descriptors have 256 bits
 * @param scalable whether the latched root pointer is one of scalable mode
 * @param translating whether the unit translates requests, as every unit of hardware does
 */
public record QueueMode(
    Capabilities capabilities, boolean wide, boolean scalable, boolean translating) {
  /** Of a unit that translates. */
  public QueueMode(Capabilities capabilities, boolean wide, boolean scalable) {
    this(capabilities, wide, scalable, true);
  }

  /** Bytes of one descriptor. */
  public int descriptorBytes() {
    return wide ? InvalidationDescriptor.WIDE_BYTES : InvalidationDescriptor.BYTES;
  }
}
