package io.hypercalld.iommu.platform;

import io.hypercalld.iommu.acpi.Drhd;
import io.hypercalld.iommu.vtd.Capabilities;
import io.hypercalld.iommu.vtd.Habits;
import io.hypercalld.iommu.vtd.UnitVersion;

/**
 * One remapping unit as it leaves the factory. Immutable.
 *
 * @param definition where its registers are and what it covers
 * @param capabilities its capability registers
 * @param version its version register
 * @param habits what it does where the specification leaves a choice
 */
public record PlatformUnit(
    Drhd definition, Capabilities capabilities, UnitVersion version, Habits habits) {
  /** A unit of version 1.0 that forgets as little as it may. */
  public PlatformUnit(Drhd definition, Capabilities capabilities) {
    this(definition, capabilities, UnitVersion.V1_0, Habits.STRICT);
  }

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
