package io.hypercalld.iommu.unit;

import io.hypercalld.iommu.unit.ExplainStep.Table;
import io.hypercalld.iommu.vtd.ContextEntry;
import io.hypercalld.iommu.vtd.DmaAccess;
import io.hypercalld.iommu.vtd.FaultReason;
import io.hypercalld.iommu.vtd.PasidDirectoryEntry;
import io.hypercalld.iommu.vtd.PasidEntry;
import io.hypercalld.iommu.vtd.ScalableContextEntry;
import io.hypercalld.iommu.vtd.ScalableRootEntry;
import java.util.Optional;

/**
 * Follows one request through scalable mode's caches and tables. Confined to the machine thread.
 */
final class ScalableExplanation {
  private final TranslationCaches caches;
  private final ScalableTables tables;
  private final ScalableRules rules;
  private final WalkTools untouched;
  private final MemoryRequest request;
  private final DmaAccess need;
  private final ExplainSteps steps;
  private boolean stale;

  /**
   * Nothing followed yet.
   *
   * @param untouched the unit's walk tools with nothing remembered
   * @param need what the request needs of a page
   */
  ScalableExplanation(
      TranslationCaches caches,
      ScalableRemapper remapper,
      WalkTools untouched,
      MemoryRequest request,
      DmaAccess need,
      ExplainSteps steps) {
    this.caches = caches;
    this.tables = remapper.tables();
    this.rules = remapper.rules();
    this.untouched = untouched;
    this.request = request;
    this.need = need;
    this.steps = steps;
  }

  private record Context(long judged, ContextEntry words) {
    static Context fault(FaultReason reason) {
      return new Context(JudgedContext.faulting(reason), ContextEntry.ABSENT);
    }
  }

  private record Pasid(long judged, PasidEntry entry) {
    static Pasid fault(FaultReason reason, boolean silent) {
      return new Pasid(JudgedPasid.faulting(reason, silent), PasidEntry.ABSENT);
    }
  }

  ExplainedVerdict follow() {
    Context context = context();
    long q0 = context.words.lo();
    long q1 = context.words.hi();
    boolean silent = JudgedContext.disablesFaultProcessing(context.judged);
    int pasid = rules.pasid(q1, request.prefix());
    long refusal =
        ScalableRules.refusal(context.judged, q0, pasid, request.prefix(), request.access());
    if (refusal != 0) {
      return new ExplainedVerdict(refusal, false, stale, silent);
    }
    if (request.access().isTranslated()) {
      long page = ScalableRemapper.translated(request.iova(), tables.hostAddressWidth());
      return new ExplainedVerdict(page, false, stale, silent);
    }
    Pasid entry = pasid(context, pasid);
    return decide(entry, rules.who(q1, request.prefix()), pasid, silent);
  }

  private Context context() {
    int sourceId = request.requester().value();
    long remembered = caches.contexts().peek(sourceId);
    if (remembered == ContextCache.MISS) {
      steps.miss(Table.CONTEXT_CACHE);
      return root();
    }
    ContextEntry used = caches.contexts().entry(sourceId);
    ScalableContextEntry shown = new ScalableContextEntry(used.lo(), used.hi(), 0, 0);
    String raw = ExplainStep.raw(used.lo(), used.hi());
    steps.hit(Table.CONTEXT_CACHE, raw, shown.decode(), JudgedContext.faults(remembered));
    stale |= !used.equals(root().words);
    return new Context(remembered, used);
  }

  private Context root() {
    long address = tables.rootEntryAddress(request.requester());
    if (!tables.isReadable(address)) {
      steps.unreadable(Table.ROOT, address, FaultReason.SCALABLE_ROOT_UNREADABLE);
      return Context.fault(FaultReason.SCALABLE_ROOT_UNREADABLE);
    }
    ScalableRootEntry entry = tables.rootEntry(address);
    Optional<FaultReason> fault = tables.judge().fault(entry);
    steps.table(Table.ROOT, address, ExplainStep.raw(entry.word()), entry.decode(), fault);
    return fault.map(Context::fault).orElseGet(() -> contextEntry(entry));
  }

  private Context contextEntry(ScalableRootEntry root) {
    long address = root.contextTable() + ScalableContextEntry.offset(request.requester());
    if (!tables.isReadable(address)) {
      steps.unreadable(Table.CONTEXT, address, FaultReason.SCALABLE_CONTEXT_UNREADABLE);
      return Context.fault(FaultReason.SCALABLE_CONTEXT_UNREADABLE);
    }
    ScalableContextEntry entry = tables.contextEntry(address);
    long judged = tables.judge().judge(request.requester().value(), entry);
    String raw = ExplainStep.raw(entry.q0(), entry.q1(), entry.q2(), entry.q3());
    steps.table(Table.CONTEXT, address, raw, entry.decode(), JudgedContext.fault(judged));
    return new Context(judged, new ContextEntry(entry.q0(), entry.q1()));
  }

  private Pasid pasid(Context context, int pasid) {
    int sourceId = request.requester().value();
    long remembered = caches.pasids().peek(sourceId, pasid);
    if (remembered == PasidCache.MISS) {
      steps.miss(Table.PASID_CACHE);
      return directory(context, pasid);
    }
    PasidEntry used = caches.pasids().entry(sourceId, pasid);
    String raw = ExplainStep.raw(used.q0(), used.q1(), used.q2());
    steps.hit(Table.PASID_CACHE, raw, used.decode(), JudgedPasid.faults(remembered));
    stale |= !used.equals(directory(context, pasid).entry);
    return new Pasid(remembered, used);
  }

  private Pasid directory(Context context, int pasid) {
    boolean silent = JudgedContext.disablesFaultProcessing(context.judged);
    long address =
        ScalableContextEntry.directory(context.words.lo()) + PasidDirectoryEntry.offset(pasid);
    if (!tables.isReadable(address)) {
      steps.unreadable(Table.PASID_DIRECTORY, address, FaultReason.PASID_DIRECTORY_UNREADABLE);
      return Pasid.fault(FaultReason.PASID_DIRECTORY_UNREADABLE, silent);
    }
    PasidDirectoryEntry entry = tables.directoryEntry(address);
    boolean silenced = silent || entry.disablesFaultProcessing();
    Optional<FaultReason> fault = tables.judge().fault(entry);
    String raw = ExplainStep.raw(entry.word());
    steps.table(Table.PASID_DIRECTORY, address, raw, entry.decode(), fault);
    return fault
        .map(reason -> Pasid.fault(reason, silenced))
        .orElseGet(() -> pasidEntry(entry, pasid, silenced));
  }

  private Pasid pasidEntry(PasidDirectoryEntry leading, int pasid, boolean silent) {
    long address = leading.table() + PasidEntry.offset(pasid);
    if (!tables.isReadable(address)) {
      steps.unreadable(Table.PASID, address, FaultReason.PASID_ENTRY_UNREADABLE);
      return Pasid.fault(FaultReason.PASID_ENTRY_UNREADABLE, silent);
    }
    PasidEntry entry = tables.pasidEntry(address);
    long judged = tables.judgePasid(entry, silent);
    String raw = ExplainStep.raw(entry.q0(), entry.q1(), entry.q2());
    steps.table(Table.PASID, address, raw, entry.decode(), JudgedPasid.fault(judged));
    return new Pasid(judged, entry);
  }

  private ExplainedVerdict decide(Pasid pasid, int who, int number, boolean silentBefore) {
    boolean silent = silentBefore || JudgedPasid.disablesFaultProcessing(pasid.judged);
    long refusal = ScalableRules.refusal(pasid.judged, who, request.iova());
    if (refusal != 0) {
      return new ExplainedVerdict(refusal, false, stale, silent);
    }
    if (JudgedPasid.passes(pasid.judged)) {
      long page = ScalableRemapper.translated(request.iova(), tables.hostAddressWidth());
      return new ExplainedVerdict(page, false, stale, silent);
    }
    AddressSpace space = space(pasid, number);
    space.who = who;
    boolean known = JudgedPasid.space(space.judged) != AddressSpaces.UNKNOWN;
    long key = Iotlb.key(request.iova());
    ExplainedPage page = new ExplainedPage(request, steps);
    long leaf =
        page.find(
            known ? caches.iotlb().peek(space.number(), key) : Iotlb.MISS,
            remembered -> permitted(remembered, who, pasid.judged),
            trace -> walk(known ? caches.walkTools() : untouched, space, trace),
            trace -> walk(untouched, space, trace));
    return new ExplainedVerdict(leaf, page.isCached(), stale || page.isStale(), silent);
  }

  private AddressSpace space(Pasid pasid, int number) {
    AddressSpace space = new AddressSpace();
    space.judged =
        JudgedPasid.withSpace(pasid.judged, caches.spaceIfMet(pasid.judged, pasid.entry, number));
    space.firstLevelRoot = pasid.entry.firstLevelRoot();
    space.secondLevelRoot = pasid.entry.secondLevelRoot();
    return space;
  }

  private long permitted(long leaf, int who, long judged) {
    return ScalableRules.permits(leaf, need, who, judged)
        ? leaf
        : Leaf.fault(ScalableRules.whenDenied(leaf, need, who, judged));
  }

  private long walk(WalkTools tools, AddressSpace space, WalkTrace trace) {
    return SpaceWalk.traced(tools, trace).walk(space, request.iova(), need);
  }
}
