package io.hypercalld.iommu.pci;

/**
 * The buses behind a bridge, both ends inclusive. Immutable.
 *
 * @param secondary the bus directly below the bridge
 * @param subordinate the highest bus below it
 */
public record BusRange(int secondary, int subordinate) {
  public BusRange {
    if (secondary < 1 || subordinate > 0xff || subordinate < secondary) {
      throw new IllegalArgumentException(
          "no buses 0x%02x to 0x%02x behind a bridge".formatted(secondary, subordinate));
    }
  }

  public boolean contains(int bus) {
    return bus >= secondary && bus <= subordinate;
  }
}
