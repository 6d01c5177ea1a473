package io.hypercalld.iommu.driver;

import java.util.Locale;

/**
 * What a toolstack asks for when it creates a domain, and what comes of it.
 *
 * @see "Xen xl.cfg, passthrough="
 */
public enum Passthrough {
  /** No device will ever be given to the domain. */
  DISABLED,
  /** Devices may be given to it, by whichever table the host prefers. */
  ENABLED,
  /** By a table of their own that follows the P2M. */
  SYNC_PT,
  /** By the P2M itself. */
  SHARE_PT;

  /** As {@code xl} spells it. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
