package io.hypercalld.iommu.driver;

import io.hypercalld.core.dma.Victim;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.notice.NoticeKind;
import io.hypercalld.iommu.pci.Sbdf;
import java.util.Optional;

/** What happens to devices. */
public enum DeviceNotice implements NoticeKind {
  ASSIGNED,
  DEASSIGNED,
  QUARANTINED,
  STRAY;

  /**
   * A device that changed hands.
   *
   * @param domid whom it was given to, or who had it
   * @param guestBdf where that domain sees it
   */
  public record About(Sbdf sbdf, DomainId domid, Optional<Sbdf> guestBdf) {}

  /**
   * A device that reached a frame which is none of its domain's business.
   *
   * @param domid whose the device is
   */
  public record Stray(Sbdf sbdf, DomainId domid, boolean writing, Victim victim) {}

  @Override
  public String type() {
    return NoticeKind.spell("device", this);
  }
}
