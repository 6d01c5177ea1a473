package io.hypercalld.core.p2m;

import java.util.Locale;

/**
 * A kind of P2M change, as the places in a hypervisor where a separate DMA table has to be told.
 */
public enum SyncHook {
  /** A page of the domain's is added. */
  PHYSMAP_ADD,
  /** A page is taken away, or leaves the guest frame where it was. */
  ZAP,
  /** Another domain's page is mapped or unmapped. */
  FOREIGN_MAP,
  /** A granted page is mapped or unmapped. */
  GRANT_MAP,
  /** Frames are exchanged under the guest frames that map them. */
  EXCHANGE,
  /** The balloon gives pages back. */
  BALLOON,
  /**
   * A pager is about to take a page away, or brings one back. Xen has no such place, as it refuses
   * a pager to whom devices are given; a domain may be made that has both.
   */
  PAGE_IN_OUT;

  /** As the policy spells it: {@code physmap-add}. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
