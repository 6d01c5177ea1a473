package io.hypercalld.iommu.virtual;

import io.hypercalld.core.domain.Domain;
import io.hypercalld.iommu.driver.PciDevice;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.unit.MemoryRequest;
import io.hypercalld.iommu.unit.RemappingUnit;
import io.hypercalld.iommu.vtd.DmaAccess;
import io.hypercalld.iommu.vtd.PasidPrefix;
import java.util.Optional;
import java.util.function.Function;

/**
 * Where a guest's tables, and then the P2M, send a physical device's requests as they are now;
 * changes nothing. Immutable.
 *
 * @param places where each device has been sent
 */
record GuestWalks(Domain domain, RemappingUnit unit, Function<PciDevice, Place> places) {
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
    long dfn = Shadows.frame(sent.iova());
    return places
        .apply(device)
        .space(sent.prefix())
        .filter(space -> GuestFaults.isStale(space, dfn))
        .map(
            space ->
                mustSay(space, dfn)
                    ? GuestFaults.missing(device, sent.iova())
                    : "0x%x became present, which the guest need not say: a request that fails finds it"
                        .formatted(sent.iova()));
  }

  private boolean mustSay(ShadowSpace space, long dfn) {
    return unit.settings().capabilities().cachingMode()
        || !space.captured().within(dfn, dfn + 1).isEmpty();
  }
}
