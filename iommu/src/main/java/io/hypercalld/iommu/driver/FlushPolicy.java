package io.hypercalld.iommu.driver;

import java.util.Locale;

/** When units are told of what changed in a domain's DMA tables. */
public enum FlushPolicy {
  /** At once, after every page or superpage that changes: nothing stale is ever reached. */
  PER_PAGE,

  /**
   * Once for all that a hypercall, or a step of one, changed: nothing stale is reached after it.
   *
   * @see "Xen's iommu_dont_flush_iotlb"
   */
  PER_CALL,

  /**
   * When {@link DomainFlushes#MOST_WAITING} changes wait, or the first has waited for {@link
   * DomainFlushes#LONGEST_WAIT} nanoseconds. Until then devices may reach what was the domain's.
   *
   * @see "Linux' iommu.strict=0"
   */
  DEFERRED;

  /** As the policy spells it: {@code per-page}. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
