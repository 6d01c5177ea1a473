package io.hypercalld.iommu.unit;

import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.vtd.DmaAccess;
import io.hypercalld.iommu.vtd.PasidPrefix;

/**
 * One memory request as it reaches a unit: it lies in one 4 KiB page. Immutable.
 *
 * @param requester whose request it is; the topology sees to it that it is one of this unit's
 * @param prefix its address space, {@link PasidPrefix#NONE} where it names none
 * @param iova the address in the request
 * @param access what it wants, and whether its address has been translated
 */
public record MemoryRequest(SourceId requester, PasidPrefix prefix, long iova, DmaAccess access) {
  /** A request without PASID. */
  public static MemoryRequest of(SourceId requester, long iova, DmaAccess access) {
    return new MemoryRequest(requester, PasidPrefix.NONE, iova, access);
  }
}
