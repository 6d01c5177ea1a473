package io.hypercalld.api.experiment;

import io.hypercalld.api.machine.MemoryPolicies;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.hypercall.Outcome;
import io.hypercalld.core.hypercall.ShadowOp;
import io.hypercalld.iommu.driver.DmaPolicy;
import io.hypercalld.iommu.driver.DomainIommu;
import io.hypercalld.iommu.driver.TableCounters;
import io.hypercalld.iommu.unit.DmaSegment;
import io.hypercalld.iommu.virtual.ShadowReport;
import io.hypercalld.iommu.virtual.ShadowSync;
import io.hypercalld.iommu.virtual.VirtualUnitSettings;
import io.hypercalld.iommu.vtd.PasidEntry;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Has a guest with two devices translate them in every way there is, and counts tables. Confined to
 * the thread that runs it.
 *
 * @see "documents/001, spec/documents.md S1-Q2"
 */
public final class ViommuModesExperiment {
  private static final int ENABLE_LOGDIRTY = 2;
  private static final long IOVA = 0x1000;
  private static final long GPA = 0x80_0000;
  private static final int SHADOWED_DID = 1;
  private static final int OTHER_DID = 2;

  private ViommuModesExperiment() {}

  /**
   * Tries every way, with the P2M shared and with a table beside it.
   *
   * @throws io.hypercalld.core.errno.Refusal ENOMEM where the host has not enough memory
   */
  public static ViommuModesAnswer run(ViommuModesQuestion question) {
    return new ViommuModesAnswer(
        Stream.of(DmaPolicy.Tables.SHARED, DmaPolicy.Tables.SEPARATE)
            .flatMap(
                tables -> Stream.of(Mode.values()).map(mode -> measure(question, tables, mode)))
            .toList());
  }

  /** What the guest's context entries say of its two devices. */
  public enum Mode {
    /** Translation is off. */
    DEFAULT,
    /** Both pass untranslated. */
    PASSTHROUGH,
    /** One through a table of the guest's, the other untranslated. */
    SHADOW,
    /** Both through one table. */
    SHADOW_SHARED,
    /** Each through a table of its own. */
    SHADOW_TWO,
    /**
     * One through a first-level table of the guest's, nested in the P2M; the other untranslated.
     */
    NESTED;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    private void enter(ScratchGuest guest) {
      long first = guest.table();
      long second = guest.table();
      guest.map(first, IOVA, GPA);
      guest.map(second, IOVA, GPA);
      switch (this) {
        case DEFAULT -> {}
        case PASSTHROUGH -> {
          guest.pass(ScratchGuest.seen(0), OTHER_DID);
          guest.pass(ScratchGuest.seen(1), OTHER_DID);
        }
        case SHADOW -> {
          guest.attach(ScratchGuest.seen(0), first, SHADOWED_DID);
          guest.pass(ScratchGuest.seen(1), OTHER_DID);
        }
        case SHADOW_SHARED -> {
          guest.attach(ScratchGuest.seen(0), first, SHADOWED_DID);
          guest.attach(ScratchGuest.seen(1), first, SHADOWED_DID);
        }
        case SHADOW_TWO -> {
          guest.attach(ScratchGuest.seen(0), first, SHADOWED_DID);
          guest.attach(ScratchGuest.seen(1), second, OTHER_DID);
        }
        case NESTED -> {
          long top = guest.table();
          guest.mapFirst(top, IOVA, GPA);
          guest.attach(ScratchGuest.seen(0), 0, PasidEntry.firstLevel(top, SHADOWED_DID));
          guest.attach(ScratchGuest.seen(1), 0, PasidEntry.passingThrough(OTHER_DID));
        }
      }
    }

    private void prepare(ScratchGuest guest) {
      if (this == NESTED) {
        guest.prepareScalable();
      } else {
        guest.prepare();
      }
    }

    /** Where a device has the guest's page. */
    private long address() {
      return this == DEFAULT || this == PASSTHROUGH ? GPA : IOVA;
    }
  }

  private static ViommuModesAnswer.Row measure(
      ViommuModesQuestion question, DmaPolicy.Tables tables, Mode mode) {
    var unit =
        new VirtualUnitSettings(
            VirtualUnitSettings.USUAL_BASE,
            true,
            true,
            mode == Mode.NESTED,
            true,
            ShadowSync.STRICT);
    try (ScratchGuest guest =
        new ScratchGuest(question.memory().bytes(), Optional.of(unit), policies(tables))) {
      guest.assign(0);
      guest.assign(1);
      mode.enter(guest);
      mode.prepare(guest);
      guest.translate(mode != Mode.DEFAULT);
      ShadowReport report = guest.iommu().report().orElseThrow();
      boolean reached =
          guest.read(0, mode.address()).segments().getFirst().end() instanceof DmaSegment.Moved;
      return new ViommuModesAnswer.Row(
          mode,
          guest.guest().facet(DomainIommu.class).sharesP2m(),
          mirrorTables(guest),
          report.spaces().stream().mapToLong(ShadowReport.Space::tables).sum(),
          List.of(ContextView.of(guest, 0), ContextView.of(guest, 1)),
          reached,
          logDirty(guest));
    }
  }

  private static MemoryPolicies policies(DmaPolicy.Tables tables) {
    MemoryPolicies usual = MemoryPolicies.usual();
    return new MemoryPolicies(usual.geometry(), Optional.empty(), usual.dma().with(tables));
  }

  private static long mirrorTables(ScratchGuest guest) {
    return guest
        .guest()
        .facet(DomainIommu.class)
        .tableCounters()
        .map(TableCounters::tables)
        .orElse(0L);
  }

  /** What the attempt to log what the guest writes is refused with. */
  private static Optional<String> logDirty(ScratchGuest guest) {
    ShadowOp enable = new ShadowOp(guest.guest().id(), ENABLE_LOGDIRTY, 0, 0, Optional.empty());
    return guest.machine().call(DomainId.DOM0, enable) instanceof Outcome.Refused refused
        ? Optional.of(refused.errno().name())
        : Optional.empty();
  }
}
