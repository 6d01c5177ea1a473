package io.hypercalld.core.p2m;

import io.hypercalld.core.memory.PageSize;

/**
 * What a P2M's entries depend on besides what is mapped. Immutable.
 *
 * @param iommu whether the domain has an IOMMU: the guest's PAT is then honoured
 * @param snoop whether the host's IOMMUs can snoop: the entry's snoop bit
 * @param largestLeaf the largest leaf that may be written
 */
public record P2mSettings(boolean iommu, boolean snoop, PageSize largestLeaf) {}
