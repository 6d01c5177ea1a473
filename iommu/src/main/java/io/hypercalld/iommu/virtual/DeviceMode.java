package io.hypercalld.iommu.virtual;

import java.util.Locale;

/** How a physical device's requests are translated while its guest has a unit that translates. */
public enum DeviceMode {
  /** By the domain's own table, from guest-physical addresses: the guest does not translate. */
  DEFAULT,

  /** By a shadow of the guest's table, or by an empty one where the guest blocks the device. */
  SHADOW,

  /** By the guest's own first-level tables, whose addresses the domain's table translates. */
  NESTED,

  /** By the domain's own table, as the guest's tables say. */
  PASSTHROUGH;

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
