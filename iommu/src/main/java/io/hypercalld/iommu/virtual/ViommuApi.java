package io.hypercalld.iommu.virtual;

import io.hypercalld.core.errno.Errno;
import java.util.Locale;

/**
 * A generation of the hypercall that makes virtual IOMMUs.
 *
 * @see "spec/documents.md S1-D1 to S1-D4"
 */
public enum ViommuApi {
  /** Of November 2017: only creation; a virtual IOMMU goes with its domain. */
  V4(Errno.E2BIG),

  /** Of October 2017: creation and destruction, where the host's option {@code viommu} is on. */
  V3(Errno.E2BIG),

  /** Of 2017's first half: creation with a length, destruction, and a query. */
  V2(Errno.EINVAL);

  private final Errno whenSecond;

  ViommuApi(Errno whenSecond) {
    this.whenSecond = whenSecond;
  }

  /** What a domain's second virtual IOMMU is refused with. */
  Errno whenSecond() {
    return whenSecond;
  }

  /** Whether the host has to have been told to allow virtual IOMMUs. */
  boolean asksTheHost() {
    return this == V3;
  }

  /** As the policy spells it. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
