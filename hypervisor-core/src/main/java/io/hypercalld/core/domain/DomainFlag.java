package io.hypercalld.core.domain;

/**
 * What a domain is created with. {@code XEN_DOMCTL_CDF_*}.
 *
 * @see "xen/include/public/domctl.h"
 */
public enum DomainFlag {
  HVM(0x1),
  HAP(0x2),
  S3_INTEGRITY(0x4),
  OOS_OFF(0x8),
  XS_DOMAIN(0x10),
  IOMMU(0x20),
  NESTED_VIRT(0x40),
  VPMU(0x80),
  /** Rejected on x86. */
  TRAP_UNMAPPED_ACCESSES(0x100);

  private final long mask;

  DomainFlag(long mask) {
    this.mask = mask;
  }

  public long mask() {
    return mask;
  }

  public boolean isIn(long flags) {
    return (flags & mask) != 0;
  }

  /** All flags that the ABI knows. */
  public static long known() {
    long all = 0;
    for (DomainFlag flag : values()) {
      all |= flag.mask;
    }
    return all;
  }
}
