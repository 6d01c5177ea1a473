package io.hypercalld.core.p2m;

import io.hypercalld.core.memory.PageSize;

/**
 * What a P2M's entries depend on besides what is mapped. Immutable.
 *
 * @param iommu whether the domain has an IOMMU: the guest's PAT is then honoured
 * @param snoop whether the host's IOMMUs can snoop: the entry's snoop bit
 * @param largestLeaf the largest leaf that may be written
 * @param geometry the shape of its tables
 * @param host what the host knows of its frames
 */
public record P2mSettings(
    boolean iommu, boolean snoop, PageSize largestLeaf, P2mGeometry geometry, HostFrames host) {

  /** For tables as x86 has them. */
  public P2mSettings(boolean iommu, boolean snoop, PageSize largestLeaf) {
    this(iommu, snoop, largestLeaf, P2mGeometry.GRANULE_4K, HostFrames.ORDINARY);
  }

  /** The same for tables of another shape. */
  public P2mSettings with(P2mGeometry shape) {
    return new P2mSettings(iommu, snoop, largestLeaf, shape, host);
  }

  /** The level of the largest leaf. */
  int largestLevel() {
    return geometry.hasSuperpages() ? largestLeaf.level() : 1;
  }
}
