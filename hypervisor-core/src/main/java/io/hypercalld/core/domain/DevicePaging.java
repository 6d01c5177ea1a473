package io.hypercalld.core.domain;

import java.util.Locale;

/** Whether a domain whose memory devices may reach can have a pager, too. */
public enum DevicePaging {
  /** As in Xen: a device cannot wait for a page, so whichever comes second is refused. */
  REFUSE,
  /** Devices lose what the pager takes and get back what it brings. */
  ALLOW;

  /** As the policy spells it. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
