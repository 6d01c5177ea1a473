package io.hypercalld.iommu.driver;

import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.p2m.SyncHook;
import java.util.EnumSet;
import java.util.Set;

/**
 * Which Xen it is as far as devices go: today's, the one that first gave devices to guests on ia64,
 * or that one with its defects mended.
 *
 * @see "xen/arch/ia64/vmx/vtd.c and dom0_ops.c (2008)"
 */
public enum Profile {
  /** Xen as it is now. */
  TODAY,

  /** As shipped in October 2008: errnos of its own, and two synchronisation points of seven. */
  AS_SHIPPED,

  /** The same mechanism with nothing missed; errnos are today's. */
  FIXED;

  /** The changes of a P2M that reach a separate table. */
  public Set<SyncHook> hooks() {
    return switch (this) {
      case TODAY, FIXED -> EnumSet.allOf(SyncHook.class);
      case AS_SHIPPED -> EnumSet.of(SyncHook.PHYSMAP_ADD, SyncHook.ZAP, SyncHook.BALLOON);
    };
  }

  /** What a domain without IOMMU is answered. */
  public Errno noIommu() {
    return this == AS_SHIPPED ? Errno.ENOSYS : Errno.EOPNOTSUPP;
  }

  /** What naming a domain that does not exist is answered, to a control domain. */
  public Errno noDomain() {
    return this == AS_SHIPPED ? Errno.EINVAL : Errno.ESRCH;
  }

  /** The refusal to hand out a device that is unknown or somebody else's. */
  public Refusal unavailable(Refusal today) {
    return this == AS_SHIPPED ? Refusal.of(Errno.EINVAL, "%s", today.reason()) : today;
  }

  /** What it is answered that a device's group cannot be told. */
  public Refusal noGroup(Refusal today) {
    return this == AS_SHIPPED ? Refusal.of(Errno.EFAULT, "%s", today.reason()) : today;
  }

  /** As the policy spells it. */
  @Override
  public String toString() {
    return switch (this) {
      case TODAY -> "today";
      case AS_SHIPPED -> "as-shipped";
      case FIXED -> "fixed";
    };
  }
}
