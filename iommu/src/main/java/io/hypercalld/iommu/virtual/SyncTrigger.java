package io.hypercalld.iommu.virtual;

import java.util.Locale;

/** Why shadows were brought into step. */
public enum SyncTrigger {
  /** The guest switched translation on or off. */
  ENABLE,

  /** The guest had context entries forgotten. */
  CONTEXT,

  /** The guest had PASID entries forgotten. */
  PASIDS,

  /** The guest had first-level translations forgotten, which the machine's units were told. */
  FIRST_LEVEL,

  /** The guest had translations forgotten. */
  TRANSLATIONS,

  /** What lies under a mapped guest frame changed. */
  P2M,

  /** What lies under one of the guest's tables changed. */
  TABLE,

  /** The domain was given a device. */
  DEVICE,

  /** A device faulted where the guest's table maps. */
  FAULT;

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
