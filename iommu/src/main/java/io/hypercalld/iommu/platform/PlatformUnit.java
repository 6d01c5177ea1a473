package io.hypercalld.iommu.platform;

import io.hypercalld.iommu.acpi.Drhd;
import io.hypercalld.iommu.vtd.Capabilities;

/**
 * One remapping unit as it leaves the factory. Immutable.
 *
 * @param definition where its registers are and what it covers
 * @param capabilities its capability registers
 */
public record PlatformUnit(Drhd definition, Capabilities capabilities) {
  public int segment() {
    return definition.segment();
  }

  /** Machine address of the register window. */
  public long base() {
    return definition.base();
  }

  /** Machine address after the register window. */
  public long end() {
    return definition.base() + definition.windowBytes();
  }

  /** Bytes of the register window. */
  public long windowBytes() {
    return definition.windowBytes();
  }

  /** The Capability Register. */
  public long cap() {
    return capabilities.cap();
  }

  /** The Extended Capability Register. */
  public long ecap() {
    return capabilities.ecap();
  }
}
