package io.hypercalld.api.metrics;

import io.hypercalld.iommu.driver.PciDevice;
import io.hypercalld.iommu.pci.Sbdf;

/**
 * One PCI function. Immutable.
 *
 * @param owner raw domain id
 */
record DeviceSample(Sbdf sbdf, int owner, PciDevice.State state) {
  static DeviceSample of(PciDevice device) {
    return new DeviceSample(device.sbdf(), device.owner().value(), device.state());
  }

  /** Whether it says what is true of the device now. */
  boolean holdsFor(PciDevice device) {
    return sbdf.equals(device.sbdf()) && owner == device.owner().value() && state == device.state();
  }
}
