package io.hypercalld.iommu.virtual;

import java.util.Locale;

/** When a shadow follows what the guest had its unit forget. */
public enum ShadowSync {
  /** With each invalidation. */
  STRICT,

  /** With all of them at once, before the guest learns that they have taken effect. */
  LAZY;

  /** As the policy spells it. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
