package io.hypercalld.iommu.unit;

import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.vtd.DmaAccess;

/** One memory request as it reaches a unit. Immutable. */
record MemoryRequest(SourceId requester, long iova, DmaAccess access) {}
