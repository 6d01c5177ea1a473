package io.hypercalld.iommu.unit;

import io.hypercalld.iommu.unit.ExplainStep.Table;
import io.hypercalld.iommu.vtd.ContextEntry;
import io.hypercalld.iommu.vtd.DmaAccess;
import io.hypercalld.iommu.vtd.FaultReason;
import io.hypercalld.iommu.vtd.RootEntry;
import io.hypercalld.iommu.vtd.SecondStageEntry;
import java.util.Optional;

/** Follows one request through legacy mode's caches and tables. Confined to the machine thread. */
final class LegacyExplanation {
  private final TranslationCaches caches;
  private final DmaRemapper remapper;
  private final ContextTables tables;
  private final WalkTools untouched;
  private final MemoryRequest request;
  private final ExplainSteps steps;

  /**
   * Nothing followed yet.
   *
   * @param untouched the unit's walk tools with nothing remembered
   */
  LegacyExplanation(
      TranslationCaches caches,
      DmaRemapper remapper,
      WalkTools untouched,
      MemoryRequest request,
      ExplainSteps steps) {
    this.caches = caches;
    this.remapper = remapper;
    this.tables = remapper.tables();
    this.untouched = untouched;
    this.request = request;
    this.steps = steps;
  }

  /**
   * What the tables in memory say: a {@link JudgedContext} word and the entry, or the absent one.
   */
  private record InMemory(long judged, ContextEntry entry) {
    static InMemory fault(FaultReason reason) {
      return new InMemory(JudgedContext.faulting(reason), ContextEntry.ABSENT);
    }
  }

  ExplainedVerdict follow() {
    int sourceId = request.requester().value();
    long remembered = caches.contexts().peek(sourceId);
    boolean hit = remembered != ContextCache.MISS;
    ContextEntry used = hit ? caches.contexts().entry(sourceId) : ContextEntry.ABSENT;
    if (hit) {
      String raw = ExplainStep.raw(used.lo(), used.hi());
      steps.hit(Table.CONTEXT_CACHE, raw, used.decode(), JudgedContext.faults(remembered));
    } else {
      steps.miss(Table.CONTEXT_CACHE);
    }
    InMemory inMemory = root();
    return hit
        ? decide(remembered, used, !used.equals(inMemory.entry))
        : decide(inMemory.judged, inMemory.entry, false);
  }

  private InMemory root() {
    long address = tables.rootEntryAddress(request.requester());
    if (!tables.isReadable(address)) {
      steps.unreadable(Table.ROOT, address, FaultReason.ROOT_ENTRY_UNREADABLE);
      return InMemory.fault(FaultReason.ROOT_ENTRY_UNREADABLE);
    }
    RootEntry entry = tables.rootEntry(address);
    Optional<FaultReason> fault = tables.judge().fault(entry);
    String raw = ExplainStep.raw(entry.lo(), entry.hi());
    steps.table(Table.ROOT, address, raw, entry.decode(), fault);
    return fault.map(InMemory::fault).orElseGet(() -> context(entry));
  }

  private InMemory context(RootEntry root) {
    long address = root.contextTable() + ContextEntry.offset(request.requester());
    if (!tables.isReadable(address)) {
      steps.unreadable(Table.CONTEXT, address, FaultReason.CONTEXT_ENTRY_UNREADABLE);
      return InMemory.fault(FaultReason.CONTEXT_ENTRY_UNREADABLE);
    }
    ContextEntry entry = tables.contextEntry(address);
    long judged = tables.judge().judge(request.requester().value(), entry);
    String raw = ExplainStep.raw(entry.lo(), entry.hi());
    steps.table(Table.CONTEXT, address, raw, entry.decode(), JudgedContext.fault(judged));
    return new InMemory(judged, entry);
  }

  private ExplainedVerdict decide(long judged, ContextEntry entry, boolean stale) {
    boolean silent = JudgedContext.disablesFaultProcessing(judged);
    Optional<FaultReason> refusal = remapper.refusal(judged, request.iova(), request.access());
    if (refusal.isPresent()) {
      return new ExplainedVerdict(Leaf.fault(refusal.get()), false, stale, silent);
    }
    if (!JudgedContext.translates(judged) || request.access().isTranslated()) {
      long page = Leaf.of(request.iova(), 1, SecondStageEntry.READ_WRITE);
      return new ExplainedVerdict(page, false, stale, silent);
    }
    if (request.iova() >>> JudgedContext.limit(judged) != 0) {
      long beyond = Leaf.fault(FaultReason.ADDRESS_BEYOND_WIDTH);
      return new ExplainedVerdict(beyond, false, stale, silent);
    }
    return page(judged, entry, stale, silent);
  }

  private ExplainedVerdict page(long judged, ContextEntry entry, boolean stale, boolean silent) {
    int domainId = JudgedContext.domainId(judged);
    DmaAccess need = remapper.need(request.access());
    ExplainedPage page = new ExplainedPage(request, steps);
    long leaf =
        page.find(
            caches.iotlb().peek(domainId, request.iova()),
            remembered -> permitted(remembered, need),
            trace -> walk(caches.walkTools(), judged, entry, trace),
            trace -> walk(untouched, judged, entry, trace));
    return new ExplainedVerdict(leaf, page.isCached(), stale || page.isStale(), silent);
  }

  private long walk(WalkTools tools, long judged, ContextEntry entry, WalkTrace trace) {
    return SecondStageWalk.traced(tools, trace)
        .walk(
            JudgedContext.domainId(judged),
            entry.secondStageRoot(),
            JudgedContext.levels(judged),
            request.iova(),
            remapper.need(request.access()));
  }

  /** The leaf itself, or the fault where it does not permit the request. */
  private static long permitted(long leaf, DmaAccess need) {
    int permissions = Leaf.permissions(leaf);
    return need.isPermittedBy(permissions) ? leaf : Leaf.fault(need.whenDenied(permissions));
  }
}
