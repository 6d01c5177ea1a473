package io.hypercalld.api.experiment;

import io.hypercalld.api.machine.DeviceDma;
import io.hypercalld.api.machine.MemoryPolicies;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.hypercall.DecreaseReservation;
import io.hypercalld.core.hypercall.GuestFrames;
import io.hypercalld.core.hypercall.Hypercall;
import io.hypercalld.core.hypercall.Outcome;
import io.hypercalld.core.hypercall.PopulatePhysmap;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.iommu.unit.DmaSegment;
import io.hypercalld.iommu.unit.MemoryRequest;
import io.hypercalld.iommu.unit.RemappingUnit;
import io.hypercalld.iommu.virtual.ShadowSync;
import io.hypercalld.iommu.virtual.VirtualUnitSettings;
import io.hypercalld.iommu.vtd.DmaAccess;
import io.hypercalld.iommu.vtd.PasidEntry;
import io.hypercalld.iommu.vtd.PasidPrefix;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Counts what a unit reads for requests that a guest's own first-level tables translate, nested in
 * the P2M. Confined to the thread that runs it.
 *
 * @see "documents/001, spec/documents.md S1-Q6"
 */
public final class NestedWalksExperiment {
  private static final int PASID = 5;
  private static final int DMA_BYTES = 8;
  private static final long GVA = 0x7f12_3456_7000L;
  private static final long FIRST = 0x80_0000;
  private static final long SECOND = 0x80_1000;

  /** Pages that split what leads to the guest's tables, and to its pages, when they go. */
  private static final List<Long> SPLITTING = List.of(0x1f_f000L, 0x9f_f000L);

  private static final PasidPrefix PREFIX = PasidPrefix.of(PASID);

  private NestedWalksExperiment() {}

  /**
   * Tries each size of pages in the second level.
   *
   * @throws io.hypercalld.core.errno.Refusal ENOMEM where the host has not enough memory
   */
  public static NestedWalksAnswer run(NestedWalksQuestion question) {
    return new NestedWalksAnswer(
        Stream.of(PageSize.SIZE_4K, PageSize.SIZE_2M, PageSize.SIZE_1G)
            .map(stage2 -> measure(question, stage2))
            .toList());
  }

  private static NestedWalksAnswer.Row measure(NestedWalksQuestion question, PageSize stage2) {
    var unit =
        new VirtualUnitSettings(
            VirtualUnitSettings.USUAL_BASE, true, true, true, true, ShadowSync.STRICT);
    long memory = stage2 == PageSize.SIZE_1G ? 2 * stage2.bytes() : 16 << 20;
    try (ScratchGuest guest = new ScratchGuest(memory, Optional.of(unit), MemoryPolicies.usual())) {
      if (stage2 == PageSize.SIZE_4K) {
        SPLITTING.forEach(gpa -> split(guest, gpa));
      }
      nest(guest);
      List<String> tables = tables(guest);
      return new NestedWalksAnswer.Row(
          stage2.bytes(),
          reads(guest, GVA),
          reads(guest, GVA + PageSize.BYTES_4K),
          reads(guest, GVA + PageSize.BYTES_4K),
          question.explained() ? tables : List.of());
    }
  }

  /** A page goes and comes: what leads there has small leaves from now on. */
  private static void split(ScratchGuest guest, long gpa) {
    DomainId id = guest.guest().id();
    GuestFrames page = GuestFrames.of(new Gfn(gpa >>> PageSize.SHIFT_4K));
    call(guest, new DecreaseReservation(id, page, Optional.empty(), 0, new Word(0)));
    call(guest, new PopulatePhysmap(id, page, Optional.empty(), 0, new Word(0)));
  }

  private static void call(ScratchGuest guest, Hypercall hypercall) {
    if (guest.machine().call(DomainId.DOM0, hypercall) instanceof Outcome.Refused refused) {
      throw new IllegalStateException(refused.detail());
    }
  }

  private static void nest(ScratchGuest guest) {
    guest.assign(0);
    long top = guest.table();
    guest.mapFirst(top, GVA, FIRST);
    guest.mapFirst(top, GVA + PageSize.BYTES_4K, SECOND);
    guest.attach(ScratchGuest.seen(0), PASID, PasidEntry.firstLevel(top, 1));
    guest.prepareScalable();
    guest.translate(true);
  }

  /** Entries read for one request, which passes. */
  private static long reads(ScratchGuest guest, long gva) {
    long before = entryReads(guest);
    DeviceDma dma =
        new DeviceDma(
            ScratchGuest.device(0),
            PREFIX,
            new Word(gva),
            DMA_BYTES,
            Optional.empty(),
            Optional.empty());
    DmaSegment segment = guest.machine().execute(dma).outcome().segments().getFirst();
    if (!segment.isDone()) {
      throw new IllegalStateException(segment.toString());
    }
    return entryReads(guest) - before;
  }

  private static long entryReads(ScratchGuest guest) {
    return guest.machine().units().stream().mapToLong(unit -> unit.counters().entryReads()).sum();
  }

  private static List<String> tables(ScratchGuest guest) {
    RemappingUnit unit = guest.machine().unit(guest.function(0).unit().orElseThrow().index());
    MemoryRequest request =
        new MemoryRequest(ScratchGuest.device(0).sourceId(), PREFIX, GVA, DmaAccess.READ);
    return unit.explain(request).steps().stream()
        .filter(step -> step.level() > 0)
        .map(step -> step.table() + " " + step.level())
        .toList();
  }
}
