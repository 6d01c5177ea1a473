package io.hypercalld.iommu.pci;

import java.util.Optional;

/**
 * How many virtual functions a physical function has and where they are. Immutable.
 *
 * <p>Virtual function {@code n}, counted from 0, has the physical function's requester id plus
 * {@code firstOffset + n * stride}, which may carry into the bus number.
 *
 * @param totalVfs most that can be enabled
 * @param numVfs how many are enabled
 * @see "PCI Express Base 5.0 §9.3.3"
 */
public record SriovCapability(
    int totalVfs, int numVfs, int firstOffset, int stride, int vfDeviceId) {
  public SriovCapability {
    if (totalVfs < 0 || totalVfs > 0xffff || numVfs < 0 || numVfs > totalVfs) {
      throw new IllegalArgumentException(
          "%d of %d virtual functions cannot be enabled".formatted(numVfs, totalVfs));
    }
    if (firstOffset < 0 || firstOffset > 0xffff || stride < 0 || stride > 0xffff) {
      throw new IllegalArgumentException(
          "virtual function offset %d and stride %d have 16 bits".formatted(firstOffset, stride));
    }
    if ((totalVfs > 0 && firstOffset == 0) || (totalVfs > 1 && stride == 0)) {
      throw new IllegalArgumentException(
          "offset %d and stride %d put %d virtual functions on one address"
              .formatted(firstOffset, stride, totalVfs));
    }
    if (vfDeviceId < 0 || vfDeviceId > 0xffff) {
      throw new IllegalArgumentException("a PCI device id has 16 bits: " + vfDeviceId);
    }
  }

  /**
   * A capability as hardware shows it, or empty where its offset and stride do not put each virtual
   * function on an address of its own: such a function cannot enable any.
   */
  static Optional<SriovCapability> ifPlaceable(
      int totalVfs, int numVfs, int firstOffset, int stride, int vfDeviceId) {
    boolean placeable = totalVfs > 0 && firstOffset > 0 && (totalVfs == 1 || stride > 0);
    return placeable
        ? Optional.of(new SriovCapability(totalVfs, numVfs, firstOffset, stride, vfDeviceId))
        : Optional.empty();
  }

  /**
   * Address of virtual function {@code index}, counted from 0.
   *
   * @throws IllegalArgumentException where it would lie beyond bus 0xff
   */
  public Sbdf virtualFunction(Sbdf physicalFunction, int index) {
    int rid = physicalFunction.sourceId().value() + firstOffset + index * stride;
    return new SourceId(rid).in(physicalFunction.segment());
  }

  /** Whether the addresses of {@code count} virtual functions exist. */
  public boolean fits(Sbdf physicalFunction, int count) {
    return count == 0
        || physicalFunction.sourceId().value() + firstOffset + (long) (count - 1) * stride
            <= 0xffff;
  }

  /** The same capability with {@code count} virtual functions enabled. */
  public SriovCapability enabling(int count) {
    return new SriovCapability(totalVfs, count, firstOffset, stride, vfDeviceId);
  }
}
