package io.hypercalld.api.experiment;

import io.hypercalld.api.machine.MemoryPolicies;
import io.hypercalld.api.machine.ResetCounters;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.iommu.unit.DmaSegment;
import io.hypercalld.iommu.unit.UnitCounters;
import io.hypercalld.iommu.virtual.ShadowReport;
import io.hypercalld.iommu.virtual.ShadowSync;
import io.hypercalld.iommu.virtual.VirtualUnitSettings;
import io.hypercalld.iommu.vtd.InvalidationDescriptor;
import io.hypercalld.iommu.vtd.InvalidationGranularity;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A guest that maps pages for a device and unmaps them again, with shadows that follow in each way.
 * Confined to the thread that runs it.
 *
 * @see "documents/001, spec/documents.md S1-Q5"
 */
public final class ShadowCostsExperiment {
  private static final int DOMAIN_ID = 1;
  private static final long PRESENT_IOVA = 1L << 30;
  private static final long FIRST_IOVA = 0x1000_0000L;
  private static final long FIRST_GPA = 0x100_0000;
  private static final long GPA_BYTES = 16L << 20;
  private static final long SECOND = 1_000_000_000L;

  /** Coprime to the number of pages: neighbours lead to pages apart. */
  private static final long STRIDE = 1021;

  private static final long MEMORY = 64L << 20;

  private final ShadowCostsQuestion question;
  private final Scope scope;
  private final Policy policy;
  private final ScratchGuest guest;
  private final long table;
  private long exits;
  private long lost;

  private ShadowCostsExperiment(
      ShadowCostsQuestion question, Policy policy, Scope scope, ScratchGuest guest) {
    this.question = question;
    this.policy = policy;
    this.scope = scope;
    this.guest = guest;
    this.table = guest.table();
  }

  /** When shadows follow, and whether the guest announces what appears. */
  public enum Policy {
    /** With each invalidation; what appears is found by a fault. */
    STRICT(ShadowSync.STRICT, false),
    /** With each invalidation, and of what appears there is one, too. */
    STRICT_CM(ShadowSync.STRICT, true),
    /** With all invalidations of a batch; what appears is found by a fault. */
    LAZY(ShadowSync.LAZY, false),
    /** With all invalidations of a batch, and of what appears there are some, too. */
    LAZY_CM(ShadowSync.LAZY, true);

    private final ShadowSync sync;
    private final boolean cachingMode;

    Policy(ShadowSync sync, boolean cachingMode) {
      this.sync = sync;
      this.cachingMode = cachingMode;
    }

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }

  /** How much the guest has forgotten at a time. */
  public enum Scope {
    PAGE,
    DOMAIN,
    GLOBAL;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /**
   * Tries every policy with every scope.
   *
   * @throws io.hypercalld.core.errno.Refusal ENOMEM where the host has not enough memory
   */
  public static ShadowCostsAnswer run(ShadowCostsQuestion question) {
    return new ShadowCostsAnswer(
        question,
        Stream.of(Policy.values())
            .flatMap(
                policy -> question.scopes().stream().map(scope -> measure(question, policy, scope)))
            .toList());
  }

  private static ShadowCostsAnswer.Row measure(
      ShadowCostsQuestion question, Policy policy, Scope scope) {
    var unit =
        new VirtualUnitSettings(
            VirtualUnitSettings.USUAL_BASE, true, true, policy.cachingMode, policy.sync);
    try (ScratchGuest guest = new ScratchGuest(MEMORY, Optional.of(unit), MemoryPolicies.usual())) {
      return new ShadowCostsExperiment(question, policy, scope, guest).measure();
    }
  }

  private ShadowCostsAnswer.Row measure() {
    guest.assign(0);
    guest.attach(ScratchGuest.seen(0), table, DOMAIN_ID);
    fill();
    guest.prepare();
    guest.translate(true);
    guest.machine().execute(new ResetCounters());
    Spent before = spent();
    for (int done = 0; done < question.maps(); done += question.batch()) {
      batch(done, Math.min(question.maps(), done + question.batch()));
    }
    Spent work = spent().since(before);
    ShadowCostsAnswer.Once once = once();
    return new ShadowCostsAnswer.Row(
        policy,
        scope,
        exits,
        work.syncs,
        work.reads,
        work.writes,
        work.flushes,
        lost,
        rate(work),
        once);
  }

  /** What else the guest's table has. */
  private void fill() {
    long step = PageSize.SIZE_2M.bytes();
    for (long done = 0; done < question.present().bytes(); done += step) {
      long first = done >>> PageSize.SHIFT_4K;
      guest.mapAll(table, PRESENT_IOVA + done, page -> gpa(first + page));
    }
  }

  /** Neighbours lead to guest pages apart. */
  private static long gpa(long page) {
    return FIRST_GPA + ((page * STRIDE) << PageSize.SHIFT_4K) % GPA_BYTES;
  }

  private void batch(int from, int to) {
    for (int page = from; page < to; page++) {
      guest.map(table, iova(page), gpa(page));
      if (policy.cachingMode) {
        submit(page);
      }
    }
    if (policy.cachingMode) {
      ring();
    }
    for (int page = from; page < to; page++) {
      boolean reached =
          guest.read(0, iova(page)).segments().getFirst().end() instanceof DmaSegment.Moved;
      lost += reached ? 0 : 1;
    }
    for (int page = from; page < to; page++) {
      guest.unmap(table, iova(page));
      submit(page);
    }
    ring();
  }

  private static long iova(int page) {
    return FIRST_IOVA + ((long) page << PageSize.SHIFT_4K);
  }

  private void submit(int page) {
    guest.submit(
        switch (scope) {
          case PAGE -> InvalidationDescriptor.pageTranslations(DOMAIN_ID, iova(page), 0, false);
          case DOMAIN -> InvalidationDescriptor.domainTranslations(DOMAIN_ID);
          case GLOBAL -> InvalidationDescriptor.allTranslations();
        });
  }

  private void ring() {
    exits++;
    guest.ring();
  }

  /** One command that finds nothing changed. */
  private ShadowCostsAnswer.Once once() {
    Spent before = spent();
    submit(0);
    ring();
    exits--;
    Spent spent = spent().since(before);
    return new ShadowCostsAnswer.Once(spent.reads, spent.writes);
  }

  private record Spent(long syncs, long reads, long writes, long flushes) {
    private Spent since(Spent before) {
      return new Spent(
          syncs - before.syncs,
          reads - before.reads,
          writes - before.writes,
          flushes - before.flushes);
    }
  }

  private Spent spent() {
    ShadowReport report = guest.iommu().report().orElseThrow();
    return new Spent(
        report.counters().syncs().values().stream().mapToLong(Long::longValue).sum(),
        report.counters().entryReads(),
        report.spaces().stream().mapToLong(space -> space.costs().entryWrites()).sum(),
        guest.machine().units().stream().mapToLong(unit -> flushes(unit.counters())).sum());
  }

  private static long flushes(UnitCounters counters) {
    return Stream.of(InvalidationGranularity.values())
        .mapToLong(counters::iotlbInvalidations)
        .sum();
  }

  private long rate(Spent work) {
    ShadowCostsQuestion.Costs costs = question.costs();
    long nanoseconds =
        exits * costs.exit()
            + work.reads * costs.entryRead()
            + work.writes * costs.entryWrite()
            + work.flushes * costs.flush();
    return nanoseconds == 0 ? 0 : question.maps() * SECOND / nanoseconds;
  }
}
