package io.hypercalld.iommu.driver;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.notice.NoticeKind;
import io.hypercalld.core.p2m.DmaPermission;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.vtd.InvalidationGranularity;
import java.util.Locale;
import java.util.Optional;

/** What happens to remapping units and to the tables that they walk. */
public enum IommuNotice implements NoticeKind {
  CONTEXT_UPDATED,
  MAP,
  UNMAP,
  INVALIDATED,
  FAULT,
  FAULT_OVERFLOW;

  /**
   * A requester's context entry was written.
   *
   * @param domainId the unit's id in the entry; empty where it is not present
   */
  public record Context(
      int iommu, Sbdf sbdf, SourceId sourceId, DomainId domid, Optional<Integer> domainId) {}

  /** A run of 4 KiB frames that a domain's devices can reach now, or cannot any more. */
  public record Mapping(DomainId domid, Gfn dfn, long frames, DmaPermission permission) {}

  /**
   * A command that made a unit forget.
   *
   * @param cache what it was about: {@code context}, {@code iotlb}, {@code iec}, {@code pasid}
   * @param granularity global, domain or selective
   * @param domainId the unit's id that it named
   * @param iova the first address of so many pages of 4 KiB
   */
  public record Invalidated(
      int iommu,
      String cache,
      InvalidationGranularity granularity,
      Optional<Integer> domainId,
      Optional<Word> iova,
      Optional<Long> pages) {}

  /**
   * A fault record that was read out of a unit.
   *
   * @param domainId the unit's id in the requester's context entry; empty where it is not present
   */
  public record Fault(
      int iommu,
      Sbdf sbdf,
      Word iova,
      Access access,
      String reason,
      String text,
      Optional<DomainId> domid,
      Optional<Integer> domainId) {}

  /** A unit had no room for another fault record. */
  public record Overflow(int iommu) {}

  /** What was blocked. */
  public enum Access {
    R,
    W;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  @Override
  public boolean isFrequent() {
    return this == MAP || this == UNMAP;
  }

  @Override
  public String type() {
    return NoticeKind.spell("iommu", this);
  }
}
