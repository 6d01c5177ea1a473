package io.hypercalld.iommu.virtual;

import io.hypercalld.core.bits.Word;
import io.hypercalld.iommu.driver.NestedContext;
import io.hypercalld.iommu.driver.PasidSpace;
import io.hypercalld.iommu.driver.PciDevice;
import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.unit.RemappingUnit;
import io.hypercalld.iommu.unit.Translation;
import io.hypercalld.iommu.vtd.DmaAccess;
import io.hypercalld.iommu.vtd.FaultReason;
import io.hypercalld.iommu.vtd.FaultRecord;
import io.hypercalld.iommu.vtd.PasidPrefix;
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
    Optional<FaultReason> reason =
        record.reason().filter(one -> one.kind() != FaultReason.Kind.INTERRUPT);
    Optional<SourceId> seen = Shadows.seenAs(device);
    Place place = shadows.placeOf(device);
    boolean followed = place.view().isPresent() || place.space().isPresent();
    if (reason.isEmpty() || seen.isEmpty() || !followed) {
      return;
    }
    if (isOfTheHost(reason.get(), place.target(record.prefix()))) {
      shadows.counters().hostFault(ownTable(record, reason.get()));
      return;
    }
    Translation judged = new Translation();
    DmaAccess access = record.isRead() ? DmaAccess.READ : DmaAccess.WRITE;
    unit.translate(seen.get(), record.prefix(), record.iova(), access, judged);
    if (judged.outcome() == Translation.Outcome.FAULTED) {
      shadows.counters().count(judged.reason(), device.sbdf(), record.iova());
    } else {
      attribute(device, record, reason.get());
    }
  }

  /** Whether the domain's own table blocked what the guest has no second-level table for. */
  private static boolean isOfTheHost(FaultReason reason, Optional<PasidSpace> target) {
    boolean secondStage =
        switch (reason) {
          case NESTED_ADDRESS_BEYOND_WIDTH,
              NESTED_TOP_NOT_READABLE,
              NESTED_TABLE_NOT_READABLE,
              NESTED_TABLE_NOT_WRITABLE,
              SECOND_LEVEL_UNREADABLE,
              SECOND_LEVEL_NOT_PERMITTED,
              SECOND_LEVEL_RESERVED,
              SECOND_LEVEL_TOP_UNREADABLE,
              INPUT_BEYOND_SECOND_LEVEL ->
              true;
          default -> false;
        };
    return secondStage && target.filter(GuestFaults::goesThroughTheDomainsTable).isPresent();
  }

  private static boolean goesThroughTheDomainsTable(PasidSpace space) {
    return switch (space) {
      case PasidSpace.Own _ -> true;
      case PasidSpace.Through _ -> false;
      case PasidSpace.Nested(NestedContext context, var _) -> context.below().isEmpty();
    };
  }

  private static String ownTable(FaultRecord record, FaultReason reason) {
    return "%s, of the domain's own table on the way of 0x%x"
        .formatted(reason.text(), record.iova());
  }

  private void attribute(PciDevice device, FaultRecord record, FaultReason reason) {
    Place place = shadows.placeOf(device);
    int pasid = place.pasid(record.prefix());
    Optional<ShadowSpace> space = place.space(record.prefix());
    if (!shadows.saysTheSame(device, pasid)) {
      redirected(device, pasid, record.iova());
    } else if (space.isPresent()) {
      attribute(device, space.get(), record.iova());
    } else {
      shadows.counters().hostFault(ownTable(record, reason));
    }
  }

  /** The guest's tables have it go through another table than they did, or through one at all. */
  private void redirected(PciDevice device, int pasid, long iova) {
    if (guest.settings().cachingMode() || shadows.heardOf(device).leadAnywhere(pasid)) {
      missingInvalidation(device, iova);
    } else {
      shadows
          .counters()
          .hostFault(
              "the entry of PASID %d became present, which the guest need not say"
                  .formatted(pasid));
      shadows.look(device, SyncTrigger.FAULT);
    }
  }

  private void missingInvalidation(PciDevice device, long iova) {
    shadows.counters().missingInvalidation(device.sbdf(), iova);
    shadows.counters().hostFault(missing(device, iova));
  }

  private void attribute(PciDevice device, ShadowSpace space, long iova) {
    long dfn = Shadows.frame(iova);
    List<GuestRun> before = space.captured().within(dfn, dfn + 1);
    boolean changed = isStale(space, dfn);
    if (changed && before.isEmpty() && !guest.settings().cachingMode()) {
      shadows.counters().hostFault(appeared(iova));
      shadows.sync(space, new StaleRanges.Range(dfn, dfn + 1), SyncTrigger.FAULT);
    } else if (changed) {
      missingInvalidation(device, iova);
    } else {
      boolean poor = space.source().isEmpty() || space.hasHoles();
      shadows
          .counters()
          .hostFault(
              poor
                  ? "there was no memory for a table of the shadow's on the way of 0x%x"
                      .formatted(iova)
                  : hole(before, iova));
    }
  }

  /** Without caching mode the guest need not say what appears: the fault does. */
  static String appeared(long iova) {
    return "0x%x became present, which the guest need not say".formatted(iova);
  }

  private static String hole(List<GuestRun> mapped, long iova) {
    return mapped.isEmpty()
        ? "the guest's unit remembers 0x%x, which its table maps no more".formatted(iova)
        : "guest frame 0x%x behind 0x%x is no memory for devices"
            .formatted(mapped.getFirst().gfn(), iova);
  }

  /**
   * Whether a request that passed met what the guest has changed and not had forgotten.
   *
   * @param maddr where it went
   */
  Optional<String> oracle(PciDevice device, PasidPrefix prefix, Word iova, Word maddr) {
    Place place = shadows.placeOf(device);
    boolean stale =
        !shadows.saysTheSame(device, place.pasid(prefix))
            || place
                .space(prefix)
                .map(space -> isStale(space, Shadows.frame(iova.value())))
                .orElseGet(
                    () ->
                        place.target(prefix).filter(PasidSpace.Nested.class::isInstance).isPresent()
                            && !shadows
                                .walks()
                                .judge(device, prefix, iova.value())
                                .flatMap(GuestJudgement::maddr)
                                .equals(Optional.of(maddr)));
    if (!stale) {
      return Optional.empty();
    }
    shadows.counters().missingInvalidation(device.sbdf(), iova.value());
    return Optional.of(missing(device, iova.value()));
  }

  /** Whether a page of the guest's table leads elsewhere than when it was last read. */
  static boolean isStale(ShadowSpace space, long dfn) {
    return !space.captured().within(dfn, dfn + 1).equals(space.current(dfn, dfn + 1));
  }

  static String missing(PciDevice device, long iova) {
    return "guest bug: missing invalidation: the guest's table has changed at 0x%x for %s"
        .formatted(iova, device.sbdf());
  }
}
