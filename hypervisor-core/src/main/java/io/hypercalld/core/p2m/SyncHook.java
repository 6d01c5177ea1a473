package io.hypercalld.core.p2m;

import java.util.Locale;

/**
 * A kind of P2M change, as the places in a hypervisor where a separate DMA table has to be told.
 *
 * <p>Paging to disk is none of them: a domain with an IOMMU gets no pager (EMLINK), and one with a
 * pager no device (EXDEV), so nothing that it does meets a DMA table.
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
  BALLOON;

  /** As the policy spells it: {@code physmap-add}. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
