package io.hypercalld.iommu.virtual;

import io.hypercalld.core.domain.Domain;
import io.hypercalld.iommu.driver.PciDevice;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.unit.MemoryRequest;
import io.hypercalld.iommu.unit.RemappingUnit;
import io.hypercalld.iommu.vtd.DmaAccess;
import io.hypercalld.iommu.vtd.PasidPrefix;
import java.util.Optional;

/**
 * Where a guest's tables, and then the P2M, send a physical device's requests as they are now;
 * changes nothing. Immutable.
 *
 * @param shadows where each device has been sent
 */
record GuestWalks(Domain domain, RemappingUnit unit, Shadows shadows) {
  /** What becomes of a read; empty where the guest does not see the device. */
  Optional<GuestJudgement> judge(PciDevice device, PasidPrefix prefix, long iova) {
    return judge(device, new MemoryRequest(device.sbdf().sourceId(), prefix, iova, DmaAccess.READ));
  }

  /** What becomes of a request as the device sends it; empty where the guest does not see it. */
  Optional<GuestJudgement> judge(PciDevice device, MemoryRequest sent) {
    return device.guestAddress().map(seen -> judge(device, sent, seen));
  }

  private GuestJudgement judge(PciDevice device, MemoryRequest sent, Sbdf seen) {
    MemoryRequest met =
        new MemoryRequest(seen.sourceId(), sent.prefix(), sent.iova(), sent.access());
    return new GuestJudgement(domain, seen, unit.explain(met), unsaid(device, sent));
  }

  private Optional<String> unsaid(PciDevice device, MemoryRequest sent) {
    Place place = shadows.placeOf(device);
    long dfn = Shadows.frame(sent.iova());
    int pasid = place.pasid(sent.prefix());
    if (!shadows.saysTheSame(device, pasid)) {
      return Optional.of(said(device, sent, shadows.heardOf(device).leadAnywhere(pasid)));
    }
    return place
        .space(sent.prefix())
        .filter(space -> GuestFaults.isStale(space, dfn))
        .map(space -> !space.captured().within(dfn, dfn + 1).isEmpty())
        .map(present -> said(device, sent, present));
  }

  /** Which of what the guest has not said: what was present it has to say whatever it announces. */
  private String said(PciDevice device, MemoryRequest sent, boolean wasPresent) {
    return wasPresent || unit.settings().capabilities().cachingMode()
        ? GuestFaults.missing(device, sent.iova())
        : GuestFaults.appeared(sent.iova()) + ": a request that fails finds it";
  }
}
