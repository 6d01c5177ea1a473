package io.hypercalld.iommu.unit;

import io.hypercalld.core.memory.PageSize;
import io.hypercalld.iommu.vtd.SecondStageEntry;
import java.util.OptionalInt;

/**
 * One entry of the IOTLB. Immutable.
 *
 * @param pasid the address space in the domain; empty where second-level tables alone translate
 * @param iova first input address of the page
 * @param maddr machine address of the page; 0 where an absence is remembered
 * @param readable whether every level of the walk permitted reads
 * @param writable whether every level of the walk permitted writes
 */
public record CachedTranslation(
    int domainId,
    OptionalInt pasid,
    long iova,
    long maddr,
    PageSize size,
    boolean readable,
    boolean writable) {
  static CachedTranslation of(AddressSpaces spaces, long tag, long leaf) {
    int permissions = Leaf.permissions(leaf);
    return new CachedTranslation(
        spaces.domainId(Iotlb.space(tag)),
        spaces.pasid(Iotlb.space(tag)),
        Iotlb.iova(tag),
        Leaf.page(leaf),
        PageSize.ofLevel(Leaf.level(leaf)),
        SecondStageEntry.permitsRead(permissions),
        SecondStageEntry.permitsWrite(permissions));
  }
}
