package io.hypercalld.api.experiment;

import io.hypercalld.api.machine.MemoryPolicies;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.hypercall.DestroyDomain;
import io.hypercalld.core.hypercall.Hypercall;
import io.hypercalld.core.hypercall.Outcome;
import io.hypercalld.iommu.hypercall.DeassignDevice;
import io.hypercalld.iommu.hypercall.PciDeviceReset;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.unit.DmaSegment;
import io.hypercalld.iommu.unit.DmaSegment.Faulted;
import io.hypercalld.iommu.unit.DmaSegment.Moved;
import io.hypercalld.iommu.virtual.ShadowSync;
import io.hypercalld.iommu.virtual.VirtualUnitSettings;
import io.hypercalld.iommu.vtd.InvalidationDescriptor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Follows a device's context entry from its domain's creation to its end. Confined to the thread
 * that runs it.
 *
 * @see "documents/001, spec/documents.md S1-Q3"
 */
public final class ViommuTimelineExperiment {
  private static final long MEMORY = 16L << 20;
  private static final long IOVA = 0x1000;
  private static final long FIRST = 0x80_0000;
  private static final long SECOND = 0x80_1000;

  private final List<ViommuTimelineAnswer.Moment> moments = new ArrayList<>();

  private ViommuTimelineExperiment() {}

  /**
   * Goes through all of it.
   *
   * @throws io.hypercalld.core.errno.Refusal ENOMEM where the host has not enough memory
   */
  public static ViommuTimelineAnswer run(ViommuTimelineQuestion question) {
    return new ViommuTimelineExperiment().answer(question);
  }

  private ViommuTimelineAnswer answer(ViommuTimelineQuestion question) {
    var unit =
        new VirtualUnitSettings(
            VirtualUnitSettings.USUAL_BASE, true, true, question.cachingMode(), ShadowSync.STRICT);
    try (ScratchGuest guest = new ScratchGuest(MEMORY, Optional.of(unit), MemoryPolicies.usual())) {
      long first = guest.table();
      long second = guest.table();
      guest.map(first, IOVA, FIRST);
      guest.map(second, IOVA, SECOND);
      guest.prepare();
      step(guest, "created", _ -> {});
      step(guest, "device assigned", g -> g.assign(0));
      step(guest, "enabled, without context entry", g -> g.translate(true));
      step(guest, "context entry written", g -> g.attach(ScratchGuest.seen(0), first, 1));
      step(guest, "context invalidated", ViommuTimelineExperiment::forgetContexts);
      step(guest, "table switched", g -> attach(g, second, 2));
      step(guest, "passed through", g -> pass(g, 2));
      step(guest, "back to a table", g -> attach(g, first, 1));
      step(guest, "disabled", g -> g.translate(false));
      step(guest, "enabled again", g -> g.translate(true));
      step(guest, "device reset", ViommuTimelineExperiment::reset);
      step(guest, "virtual IOMMU destroyed", g -> g.iommu().destroy());
      step(guest, "device deassigned", ViommuTimelineExperiment::deassign);
      step(guest, "domain destroyed", g -> call(g, new DestroyDomain(g.guest().id())));
    }
    return new ViommuTimelineAnswer(List.copyOf(moments));
  }

  private static void attach(ScratchGuest guest, long table, int domainId) {
    guest.attach(ScratchGuest.seen(0), table, domainId);
    forgetContexts(guest);
  }

  private static void pass(ScratchGuest guest, int domainId) {
    guest.pass(ScratchGuest.seen(0), domainId);
    forgetContexts(guest);
  }

  private static void forgetContexts(ScratchGuest guest) {
    guest.submit(InvalidationDescriptor.allContexts());
    guest.submit(InvalidationDescriptor.allTranslations());
    guest.ring();
  }

  private static void reset(ScratchGuest guest) {
    Sbdf device = ScratchGuest.device(0);
    call(
        guest,
        new PciDeviceReset(
            new PciDeviceReset.Device(device.segment(), device.bus(), device.sourceId().devfn()),
            0));
  }

  private static void deassign(ScratchGuest guest) {
    call(guest, new DeassignDevice(guest.guest().id(), ScratchGuest.device(0), 0, 0));
  }

  private static void call(ScratchGuest guest, Hypercall hypercall) {
    if (guest.machine().call(DomainId.DOM0, hypercall) instanceof Outcome.Refused refused) {
      throw new IllegalStateException(refused.detail());
    }
  }

  private void step(ScratchGuest guest, String what, Consumer<ScratchGuest> change) {
    change.accept(guest);
    moments.add(
        new ViommuTimelineAnswer.Moment(
            what, ContextView.of(guest, 0), end(guest, IOVA), end(guest, FIRST)));
  }

  /** Where the device's read ends. */
  private static String end(ScratchGuest guest, long address) {
    DmaSegment.End end = guest.read(0, address).segments().getFirst().end();
    return switch (end) {
      case Moved(long maddr, var _, var _, var _) -> new Word(maddr).toString();
      case Faulted(var reason, var _) -> reason.toString();
      default -> end.getClass().getSimpleName();
    };
  }
}
