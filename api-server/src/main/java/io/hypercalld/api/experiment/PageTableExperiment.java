package io.hypercalld.api.experiment;

import io.hypercalld.api.machine.AccessGuest;
import io.hypercalld.api.machine.ResetCounters;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.guest.GuestRequest;
import io.hypercalld.core.guest.GuestRequest.Operation;
import io.hypercalld.core.hypercall.DecreaseReservation;
import io.hypercalld.core.hypercall.GuestFrames;
import io.hypercalld.core.hypercall.PopulatePhysmap;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mCounters;
import io.hypercalld.iommu.driver.DomainIommu;
import io.hypercalld.iommu.driver.TableCounters;
import io.hypercalld.iommu.unit.DmaOutcome;
import io.hypercalld.iommu.unit.DmaSegment;
import io.hypercalld.iommu.unit.UnitCounters;
import io.hypercalld.iommu.vtd.InvalidationGranularity;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;

/**
 * Separate tables or the P2M itself, and by which pages: the same guest, the same changes, the same
 * accesses, once for each mode. Confined to the thread that runs it.
 */
public final class PageTableExperiment {
  private static final int GRANULE_ORDER = 2;
  private static final int GRANULE_SHIFT = 14;
  private static final int WORDS_PER_PAGE = 4;
  private static final int PAGE_WORDS = 512;

  private final PageTableQuestion question;
  private final List<BitSet> mapped = new ArrayList<>();
  private boolean faithful = true;

  private PageTableExperiment(PageTableQuestion question) {
    this.question = question;
  }

  /**
   * Tries every mode.
   *
   * @throws io.hypercalld.core.errno.Refusal ENOMEM where the host has not enough memory
   */
  public static PageTableAnswer run(PageTableQuestion question) {
    return new PageTableExperiment(question).answer();
  }

  private PageTableAnswer answer() {
    List<PageTableAnswer.Row> rows = question.modes().stream().map(this::measure).toList();
    boolean same = faithful && mapped.stream().distinct().count() <= 1;
    long pages = granules() * WORDS_PER_PAGE / PAGE_WORDS;
    return new PageTableAnswer(
        question, rows, same, new PageTableAnswer.Reserve(pages, pages << GRANULE_SHIFT));
  }

  private long granules() {
    return question.memory().bytes() >>> GRANULE_SHIFT;
  }

  private PageTableAnswer.Row measure(TableMode mode) {
    try (ScratchMachine scratch = new ScratchMachine(question.memory().bytes())) {
      Domain guest = guest(scratch, mode);
      scratch.assign(guest);
      PageTableAnswer.Tables p2m =
          new PageTableAnswer.Tables(
              guest.p2m().tables(),
              guest.p2m().tables() * guest.p2m().settings().geometry().tableBytes());
      PageTableAnswer.Tables iommu =
          tableCounters(guest)
              .map(own -> new PageTableAnswer.Tables(own.tables(), own.tableBytes()))
              .orElse(new PageTableAnswer.Tables(0, 0));
      long tlbInserts = sweep(scratch, guest);
      scratch.machine().execute(new ResetCounters());
      tableCounters(guest).ifPresent(TableCounters::reset);
      work(scratch, guest);
      PageTableAnswer.Row row =
          new PageTableAnswer.Row(
              mode, p2m, iommu, changes(scratch, guest), access(scratch, tlbInserts));
      mapped.add(reachable(scratch, guest));
      return row;
    }
  }

  private Domain guest(ScratchMachine scratch, TableMode mode) {
    long bytes = question.memory().bytes();
    return mode.isShared()
        ? scratch.guestOfSmallPages(bytes, mode.policies())
        : scratch.guest(bytes, mode.policies());
  }

  private static Optional<TableCounters> tableCounters(Domain guest) {
    return guest.facet(DomainIommu.class).tableCounters();
  }

  /** Pages come and go at random; after each change a device and the guest look at one. */
  private void work(ScratchMachine scratch, Domain guest) {
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(question.seed());
    BitSet present = new BitSet();
    present.set(0, Math.toIntExact(granules()));
    for (int step = 0; step < question.operations(); step++) {
      int granule = random.nextInt(Math.toIntExact(granules()));
      GuestFrames extent = GuestFrames.of(new Gfn((long) granule << GRANULE_ORDER));
      if (present.get(granule)) {
        scratch.call(decrease(guest, extent));
      } else {
        scratch.call(populate(guest, extent));
      }
      present.flip(granule);
      scratch.read(random.nextLong(granules()) << GRANULE_SHIFT);
    }
  }

  private static DecreaseReservation decrease(Domain guest, GuestFrames extent) {
    return new DecreaseReservation(
        guest.id(), extent, Optional.empty(), GRANULE_ORDER, new Word(0), 0);
  }

  private static PopulatePhysmap populate(Domain guest, GuestFrames extent) {
    return new PopulatePhysmap(guest.id(), extent, Optional.empty(), GRANULE_ORDER, new Word(0), 0);
  }

  private static PageTableAnswer.Changes changes(ScratchMachine scratch, Domain guest) {
    P2mCounters p2m = guest.p2m().counters();
    Optional<TableCounters> iommu = tableCounters(guest);
    long flushes =
        scratch.machine().units().stream()
            .map(unit -> unit.counters())
            .mapToLong(
                unit ->
                    unit.iotlbInvalidations(InvalidationGranularity.SELECTIVE)
                        + unit.iotlbInvalidations(InvalidationGranularity.DOMAIN))
            .sum();
    return new PageTableAnswer.Changes(
        p2m.entryWrites(),
        iommu.map(TableCounters::entryWrites).orElse(0L),
        p2m.splits() + iommu.map(TableCounters::splits).orElse(0L),
        iommu.map(TableCounters::coalesces).orElse(0L),
        flushes);
  }

  private static PageTableAnswer.Access access(ScratchMachine scratch, long tlbInserts) {
    long hits = 0;
    long misses = 0;
    long faults = 0;
    for (var unit : scratch.machine().units()) {
      UnitCounters counters = unit.counters();
      hits += counters.iotlbHits();
      misses += counters.iotlbMisses();
      faults += counters.faults().values().stream().mapToLong(Long::longValue).sum();
    }
    return new PageTableAnswer.Access(hits, misses, faults, tlbInserts);
  }

  /** The guest reads its memory page by page; answers how often its processor has to look it up. */
  private long sweep(ScratchMachine scratch, Domain guest) {
    scratch.machine().execute(new ResetCounters());
    for (long gpa = 0; gpa < question.sweep().bytes(); gpa += PageSize.BYTES_4K) {
      GuestRequest request =
          new GuestRequest(0, new Word(gpa), Long.BYTES, Operation.READ, new Word(0));
      scratch.machine().execute(new AccessGuest(guest.id(), request));
    }
    return guest.p2m().counters().tlbInserts();
  }

  /** The pages of 4 KiB that the device reaches: those that the guest's P2M has, and there. */
  private BitSet reachable(ScratchMachine scratch, Domain guest) {
    BitSet found = new BitSet();
    for (int page = 0; page < granules() << GRANULE_ORDER; page++) {
      DmaOutcome outcome = scratch.read((long) page << PageSize.SHIFT_4K);
      Mfn wanted = guest.p2m().lookup(new Gfn(page)).mfn();
      if (outcome.segments().getFirst().end() instanceof DmaSegment.Moved moved) {
        found.set(page);
        faithful &= moved.maddr() == wanted.maddr();
      } else {
        faithful &= !wanted.isValid();
      }
    }
    return found;
  }
}
