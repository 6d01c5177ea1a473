package io.hypercalld.core.domain;

import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;

/**
 * The classes of privilege that Xen's default policy knows.
 *
 * @see "xen/include/xsm/dummy.h"
 */
public enum Privilege {
  /** A control domain. */
  PRIV,
  /** A control domain, or the target's device model. */
  DM_PRIV,
  /** As {@link #DM_PRIV}, or the xenstore domain. */
  XS_PRIV,
  /** The domain itself, its device model, or a control domain. */
  TARGET;

  public boolean allows(Domain caller, Domain target) {
    return caller.isControlDomain()
        || switch (this) {
          case PRIV -> false;
          case DM_PRIV -> caller.isDeviceModelOf(target);
          case XS_PRIV ->
              caller.isDeviceModelOf(target) || caller.settings().has(DomainFlag.XS_DOMAIN);
          case TARGET -> caller.id().equals(target.id()) || caller.isDeviceModelOf(target);
        };
  }

  /**
   * Refuses a caller that lacks the privilege.
   *
   * @throws Refusal EPERM
   */
  public void demand(Domain caller, Domain target) {
    if (!allows(caller, target)) {
      throw Refusal.of(Errno.EPERM, "%s may not do this to %s", caller.id(), target.id());
    }
  }
}
