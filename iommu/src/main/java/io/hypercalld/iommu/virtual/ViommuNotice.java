package io.hypercalld.iommu.virtual;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.notice.NoticeKind;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.vtd.FaultReason;

/** What happens to the remapping units that guests see. */
public enum ViommuNotice implements NoticeKind {
  SHADOW_SYNCED,
  FAULT,

  /** A bug of the guest's: told with each request that meets it. */
  MISSING_INVALIDATION;

  /** A shadow was brought into step, and what made that necessary. */
  public record Synced(DomainId domid, SyncTrigger trigger) {}

  /** A fault of a physical device that was the guest's, and went to the guest. */
  public record Fault(DomainId domid, Sbdf sbdf, Word iova, String reason, String text) {
    static Fault of(DomainId domid, Sbdf sbdf, long iova, FaultReason reason) {
      return new Fault(
          domid, sbdf, new Word(iova), "0x%02x".formatted(reason.code()), reason.text());
    }
  }

  /**
   * A physical device's request met what the guest had changed and not had forgotten.
   *
   * @param iova the request's address
   */
  public record Missing(DomainId domid, Sbdf sbdf, Word iova) {}

  @Override
  public String type() {
    return NoticeKind.spell("viommu", this);
  }
}
