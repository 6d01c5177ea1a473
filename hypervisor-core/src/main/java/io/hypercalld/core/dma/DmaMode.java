package io.hypercalld.core.dma;

import io.hypercalld.core.domain.DomainType;
import java.util.Locale;

/**
 * How a domain's kernel learns what to tell its devices of a page.
 *
 * @see "spec/documents.md S3-M4: read the P2M table, do nothing, call Xen to get the translation,
 *     or call Xen to establish an IOMMU mapping"
 */
public enum DmaMode {
  /** It knows machine frames, and reads them in the P2M that is exposed to it, read-only. */
  P2M,

  /** Its memory was made of consecutive machine frames, each at the guest frame of its number. */
  IDENTITY,

  /** It knows guest frames only, and asks the hypervisor for the machine frame of each. */
  VP,

  /** It knows guest frames only, and a remapping unit translates what its devices are told. */
  VP_IOMMU;

  /**
   * Whether a remapping unit checks and translates what devices say. Where none does, devices reach
   * all of the machine, whoever owns it.
   */
  public boolean isChecked() {
    return this == VP_IOMMU;
  }

  /** What Xen ships today for a domain of the type. */
  public static DmaMode usual(DomainType type, boolean iommu) {
    if (!type.isTranslated()) {
      return P2M;
    }
    return iommu ? VP_IOMMU : VP;
  }

  /** As the policy spells it: {@code vp-iommu}. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
