package io.hypercalld.iommu.driver;

/** Somebody who has to know which devices a domain has. */
public interface DeviceWatcher {
  /** Nobody has to. */
  DeviceWatcher NONE =
      new DeviceWatcher() {
        @Override
        public void arrived(PciDevice device) {}

        @Override
        public void left(PciDevice device) {}
      };

  /**
   * The domain is to have the device; nothing has happened yet.
   *
   * @throws io.hypercalld.core.errno.Refusal EOPNOTSUPP it cannot, as it is now
   */
  default void requireWelcome(PciDevice device) {}

  /** The domain has the device, which goes through the domain's own table. */
  void arrived(PciDevice device);

  /** The domain has the device no more, and nothing of it reaches the domain's memory. */
  void left(PciDevice device);
}
