package io.hypercalld.iommu.unit;

import io.hypercalld.core.memory.PageSize;
import io.hypercalld.iommu.vtd.SecondStageEntry;

/**
 * One entry of the IOTLB. Immutable.
 *
 * @param iova first input address of the page
 * @param maddr machine address of the page; 0 where an absence is remembered
 * @param readable whether every level of the walk permitted reads
 * @param writable whether every level of the walk permitted writes
 */
public record CachedTranslation(
    int domainId, long iova, long maddr, PageSize size, boolean readable, boolean writable) {
  static CachedTranslation of(long tag, long leaf) {
    int permissions = Leaf.permissions(leaf);
    return new CachedTranslation(
        Iotlb.domainId(tag),
        Iotlb.iova(tag),
        Leaf.page(leaf),
        PageSize.ofLevel(Leaf.level(leaf)),
        SecondStageEntry.permitsRead(permissions),
        SecondStageEntry.permitsWrite(permissions));
  }
}
