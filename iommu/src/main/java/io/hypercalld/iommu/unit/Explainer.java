package io.hypercalld.iommu.unit;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.iommu.unit.ExplainStep.Table;
import io.hypercalld.iommu.unit.ExplainStep.Verdict;
import io.hypercalld.iommu.vtd.ContextEntry;
import io.hypercalld.iommu.vtd.DmaAccess;
import io.hypercalld.iommu.vtd.FaultReason;
import io.hypercalld.iommu.vtd.GlobalCommand;
import io.hypercalld.iommu.vtd.Register;
import io.hypercalld.iommu.vtd.RootTableAddress;
import io.hypercalld.iommu.vtd.SecondStageEntry;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Answers what {@link DmaRemapper} would, with the reasons, and changes nothing by it. Confined to
 * the machine thread.
 *
 * <p>Where a cache answers, the tables that hardware then skips are read all the same: what they
 * say differently is what makes the cached entry stale.
 */
final class Explainer {
  private final Circuit circuit;
  private final TranslationCaches caches;
  private final DmaRemapper remapper;
  private final ProtectedMemory protectedMemory;
  private final TracedTables tables;

  Explainer(
      Circuit circuit,
      TranslationCaches caches,
      DmaRemapper remapper,
      ProtectedMemory protectedMemory) {
    this.circuit = circuit;
    this.caches = caches;
    this.remapper = remapper;
    this.protectedMemory = protectedMemory;
    this.tables = new TracedTables(circuit, remapper.tables());
  }

  Explanation explain(MemoryRequest request) {
    Trace trace = new Trace(request);
    if (!remapper.isEnabled()) {
      trace.register(Register.GSTS, GlobalCommand.TE.name() + "S is clear: requests pass", true);
      return trace.passUntranslated();
    }
    Optional<FaultReason> modeFault = remapper.tables().modeFault();
    if (modeFault.isPresent()) {
      trace.register(Register.RTADDR, RootTableAddress.TTM.name() + " is not legacy mode", false);
      return trace.block(0, modeFault.get());
    }
    if (request.prefix().present()) {
      trace.register(Register.RTADDR, RootTableAddress.TTM.name() + " is legacy mode", false);
      return trace.block(0, FaultReason.PASID_IN_LEGACY_MODE);
    }
    return trace.context();
  }

  /** One request on its way. */
  private final class Trace {
    private final List<ExplainStep> steps = new ArrayList<>();
    private final MemoryRequest request;
    private boolean cached;
    private boolean stale;

    Trace(MemoryRequest request) {
      this.request = request;
    }

    void register(Register register, String note, boolean passes) {
      long value = circuit.registers().get(register);
      steps.add(
          new ExplainStep(
              Table.REGISTER,
              0,
              register.offset(),
              new Word(value).toString(),
              register.layout().decode(value),
              passes ? Verdict.LEAF : Verdict.BLOCKED,
              note));
    }

    Explanation context() {
      int sourceId = request.requester().value();
      long remembered = caches.contexts().peek(sourceId);
      boolean hit = remembered != 0;
      ContextEntry used = hit ? caches.contexts().entry(sourceId) : ContextEntry.ABSENT;
      cacheStep(
          Table.CONTEXT_CACHE,
          ExplainStep.raw(used.lo(), used.hi()),
          used.decode(),
          hit ? hit(TracedTables.fault(remembered)) : Verdict.MISS);
      TracedTables.Context inMemory = tables.context(request.requester(), steps);
      stale = hit && !used.equals(inMemory.entry());
      return hit ? decide(remembered, used) : decide(inMemory.judged(), inMemory.entry());
    }

    private static Verdict hit(Optional<FaultReason> fault) {
      return fault.isPresent() ? Verdict.BLOCKED : Verdict.HIT;
    }

    private void cacheStep(Table cache, String raw, Map<String, Word> fields, Verdict verdict) {
      boolean miss = verdict == Verdict.MISS;
      steps.add(
          new ExplainStep(
              cache,
              0,
              0,
              miss ? "" : raw,
              miss ? Map.of() : fields,
              verdict,
              miss ? "not remembered: memory decides" : "remembered: memory is not read"));
    }

    private Explanation decide(long judged, ContextEntry entry) {
      boolean blockedByType = !request.access().isUntranslated();
      if (JudgedContext.faults(judged)
          && !(blockedByType && JudgedContext.isWidthInvalid(judged))) {
        return block(judged, JudgedContext.reason(judged));
      }
      if (blockedByType) {
        return block(judged, FaultReason.REQUEST_TYPE_BLOCKED);
      }
      if (JudgedContext.translates(judged)) {
        return page(judged, entry.secondStageRoot());
      }
      return isBeyondLimit(judged)
          ? block(judged, FaultReason.ADDRESS_BEYOND_WIDTH)
          : map(Leaf.of(request.iova(), 1, SecondStageEntry.READ_WRITE));
    }

    private Explanation page(long judged, long root) {
      long remembered = caches.iotlb().peek(JudgedContext.domainId(judged), request.iova());
      boolean hit = remembered != Iotlb.MISS;
      long fromCache = hit ? permitted(remembered) : Iotlb.MISS;
      cacheStep(
          Table.IOTLB,
          new Word(remembered).toString(),
          hit ? Leaf.decode(remembered) : Map.of(),
          hit ? (Leaf.isFault(fromCache) ? Verdict.BLOCKED : Verdict.HIT) : Verdict.MISS);
      long fromTables = walk(judged, root);
      cached = hit;
      stale |= hit && !sameAnswer(fromCache, fromTables);
      long leaf = hit ? fromCache : fromTables;
      return Leaf.isFault(leaf) ? block(judged, Leaf.reason(leaf)) : map(leaf);
    }

    /** The leaf itself, or the fault where it does not permit the request. */
    private long permitted(long leaf) {
      DmaAccess need = remapper.need(request.access());
      int permissions = Leaf.permissions(leaf);
      return need.isPermittedBy(permissions) ? leaf : Leaf.fault(need.whenDenied(permissions));
    }

    private long walk(long judged, long root) {
      if (isBeyondLimit(judged)) {
        return Leaf.fault(FaultReason.ADDRESS_BEYOND_WIDTH);
      }
      MemoryRequest needing =
          MemoryRequest.of(request.requester(), request.iova(), remapper.need(request.access()));
      return tables.walk(root, JudgedContext.levels(judged), needing, steps);
    }

    private boolean isBeyondLimit(long judged) {
      return request.iova() >>> JudgedContext.limit(judged) != 0;
    }

    private boolean sameAnswer(long one, long other) {
      if (Leaf.isFault(one) || Leaf.isFault(other)) {
        return Leaf.isFault(one) && Leaf.isFault(other) && Leaf.reason(one) == Leaf.reason(other);
      }
      return Leaf.maddr(one, request.iova()) == Leaf.maddr(other, request.iova());
    }

    Explanation block(long judged, FaultReason reason) {
      boolean suppressed = reason.isQualified() && JudgedContext.disablesFaultProcessing(judged);
      return new Explanation(
          Translation.Outcome.FAULTED,
          Optional.of(reason),
          0,
          PageSize.SIZE_4K,
          cached,
          stale,
          !suppressed && remapper.canRecord(request.requester().value()),
          steps,
          Optional.of(PassCondition.of(reason, steps)));
    }

    Explanation passUntranslated() {
      return pass(Translation.Outcome.UNTRANSLATED, request.iova(), PageSize.SIZE_4K);
    }

    private Explanation map(long leaf) {
      return pass(
          Translation.Outcome.MAPPED,
          Leaf.maddr(leaf, request.iova()),
          PageSize.ofLevel(Leaf.level(leaf)));
    }

    private Explanation pass(Translation.Outcome outcome, long maddr, PageSize page) {
      if (!protectedMemory.blocks(maddr)) {
        return new Explanation(
            outcome, Optional.empty(), maddr, page, cached, stale, false, steps, Optional.empty());
      }
      register(Register.PMEN, "0x%x lies in a protected region".formatted(maddr), false);
      return new Explanation(
          Translation.Outcome.PROTECTED,
          Optional.empty(),
          maddr,
          page,
          cached,
          stale,
          false,
          steps,
          Optional.of("PMEN.EPM were clear"));
    }
  }
}
