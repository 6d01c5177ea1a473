package io.hypercalld.iommu.unit;

import io.hypercalld.iommu.vtd.Invalidation;

/**
 * Somebody who keeps something of their own in step with what software tells a unit: a hypervisor
 * that emulates the unit for a guest.
 */
public interface UnitObserver {
  /** Nobody does. */
  UnitObserver NONE =
      new UnitObserver() {
        @Override
        public void invalidated(Invalidation.OfCaches command) {}

        @Override
        public void settled() {}

        @Override
        public void commanded() {}
      };

  /** Software told the unit to forget, and it has. */
  void invalidated(Invalidation.OfCaches command);

  /** Software told a device to forget, and it has, if it is one of the unit's. */
  default void deviceInvalidated(Invalidation.DeviceTranslations command) {}

  /** Software is about to learn that all it has told the unit so far has taken effect. */
  void settled();

  /** A store to GCMD was carried out: translation may be on, off, or by another root pointer. */
  void commanded();
}
