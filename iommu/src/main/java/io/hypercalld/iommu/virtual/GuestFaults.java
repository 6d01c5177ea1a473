package io.hypercalld.iommu.virtual;

import io.hypercalld.iommu.driver.PciDevice;
import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.unit.RemappingUnit;
import io.hypercalld.iommu.unit.Translation;
import io.hypercalld.iommu.vtd.DmaAccess;
import io.hypercalld.iommu.vtd.FaultReason;
import io.hypercalld.iommu.vtd.FaultRecord;
import java.util.List;
import java.util.Optional;

/**
 * Finds out whose a physical device's fault is, and gives the guest what is the guest's. Confined
 * to the machine thread.
 *
 * <p>The guest's unit judges the request as if it had met it: where it blocks it, the guest has the
 * record and the event. Where it lets it pass, the hole is the host's.
 */
final class GuestFaults {
  private final Shadows shadows;
  private final VirtualUnit guest;
  private final RemappingUnit unit;

  GuestFaults(Shadows shadows, VirtualUnit guest) {
    this.shadows = shadows;
    this.guest = guest;
    this.unit = guest.silicon();
  }

  void faulted(PciDevice device, FaultRecord record) {
    boolean memory =
        record.reason().filter(one -> one.kind() != FaultReason.Kind.INTERRUPT).isPresent();
    Optional<SourceId> seen = Shadows.seenAs(device);
    Optional<ShadowSpace> space = shadows.placeOf(device).space();
    if (!memory || seen.isEmpty() || space.isEmpty()) {
      return;
    }
    Translation judged = new Translation();
    DmaAccess access = record.isRead() ? DmaAccess.READ : DmaAccess.WRITE;
    unit.translate(seen.get(), record.iova(), access, judged);
    if (judged.outcome() == Translation.Outcome.FAULTED) {
      shadows.counters().count(judged.reason(), device.sbdf(), record.iova());
    } else {
      attribute(device, space.get(), record.iova());
    }
  }

  private void attribute(PciDevice device, ShadowSpace space, long iova) {
    long dfn = Shadows.frame(iova);
    List<GuestRun> before = space.captured().within(dfn, dfn + 1);
    List<GuestRun> now = space.current(dfn, dfn + 1);
    boolean unannounced = space.source().isEmpty() || !now.equals(before);
    boolean appeared = unannounced && before.isEmpty();
    if (appeared && !guest.settings().cachingMode()) {
      shadows
          .counters()
          .hostFault("0x%x became present, which the guest need not say".formatted(iova));
      follow(device, space, dfn);
    } else if (unannounced) {
      shadows.counters().missingInvalidation();
      shadows.counters().hostFault(missing(device, iova));
    } else {
      shadows.counters().hostFault(hole(before, iova));
    }
  }

  private static String hole(List<GuestRun> mapped, long iova) {
    return mapped.isEmpty()
        ? "the guest's unit remembers 0x%x, which its table maps no more".formatted(iova)
        : "guest frame 0x%x behind 0x%x is no memory for devices"
            .formatted(mapped.getFirst().gfn(), iova);
  }

  /** Without caching mode the guest need not say what appears: the fault does. */
  private void follow(PciDevice device, ShadowSpace space, long dfn) {
    if (space.source().isEmpty()) {
      shadows.look(device, SyncTrigger.FAULT);
    } else {
      shadows.sync(space, new StaleRanges.Range(dfn, dfn + 1), SyncTrigger.FAULT);
    }
  }

  /** Whether a request that passed met what the guest has changed and not had forgotten. */
  Optional<String> oracle(PciDevice device, long iova) {
    long dfn = Shadows.frame(iova);
    Optional<ShadowSpace> stale =
        shadows
            .placeOf(device)
            .space()
            .filter(
                space ->
                    !space.captured().within(dfn, dfn + 1).equals(space.current(dfn, dfn + 1)));
    stale.ifPresent(_ -> shadows.counters().missingInvalidation());
    return stale.map(_ -> missing(device, iova));
  }

  private static String missing(PciDevice device, long iova) {
    return "guest bug: missing invalidation: the guest's table has changed at 0x%x for %s"
        .formatted(iova, device.sbdf());
  }
}
