package io.hypercalld.iommu.unit;

import io.hypercalld.core.memory.PageSize;
import io.hypercalld.iommu.vtd.FaultReason;
import io.hypercalld.iommu.vtd.GlobalCommand;
import io.hypercalld.iommu.vtd.Register;
import io.hypercalld.iommu.vtd.RootTableAddress;
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
  private final RequestEnd end;

  /** For walks that see what tables say, whatever is remembered of them. */
  private final WalkTools untouched;

  Explainer(Circuit circuit, TranslationCaches caches, DmaRemapper remapper, RequestEnd end) {
    this.circuit = circuit;
    this.caches = caches;
    this.remapper = remapper;
    this.end = end;
    this.untouched = caches.walkToolsWithoutMemory();
  }

  Explanation explain(MemoryRequest request) {
    ExplainSteps steps = new ExplainSteps(request, remapper.isScalable());
    if (!remapper.isEnabled()) {
      register(steps, Register.GSTS, GlobalCommand.TE.name() + "S is clear: requests pass", true);
      return pass(Translation.Outcome.UNTRANSLATED, request.iova(), PageSize.SIZE_4K, steps);
    }
    Optional<FaultReason> modeFault = remapper.modeFault(request.prefix());
    if (modeFault.isPresent()) {
      register(steps, Register.RTADDR, RootTableAddress.TTM.name() + " forbids it", false);
      ExplainedVerdict blocked =
          new ExplainedVerdict(Leaf.fault(modeFault.get()), false, false, false);
      return block(request, blocked, steps);
    }
    ExplainedVerdict verdict = follow(request, steps);
    if (Leaf.isFault(verdict.leaf())) {
      return RequestEnd.isAnswer(request.access(), Leaf.reason(verdict.leaf()))
          ? pass(Translation.Outcome.MAPPED, request.iova(), PageSize.SIZE_4K, steps)
          : block(request, verdict, steps);
    }
    return map(request, verdict, steps);
  }

  private ExplainedVerdict follow(MemoryRequest request, ExplainSteps steps) {
    if (!remapper.isScalable()) {
      return new LegacyExplanation(caches, remapper, untouched, request, steps).follow();
    }
    return new ScalableExplanation(
            caches, remapper.scalable(), untouched, request, remapper.need(request.access()), steps)
        .follow();
  }

  private void register(ExplainSteps steps, Register register, String note, boolean passes) {
    steps.register(register, circuit.registers().get(register), note, passes);
  }

  private Explanation block(MemoryRequest request, ExplainedVerdict verdict, ExplainSteps steps) {
    FaultReason reason = Leaf.reason(verdict.leaf());
    boolean suppressed = reason.isQualified() && verdict.silent();
    return new Explanation(
        Translation.Outcome.FAULTED,
        Optional.of(reason),
        0,
        PageSize.SIZE_4K,
        verdict.cached(),
        verdict.stale(),
        !suppressed && end.canRecord(request.requester()),
        steps.list(),
        Optional.of(PassCondition.of(reason, steps.list())));
  }

  private Explanation map(MemoryRequest request, ExplainedVerdict verdict, ExplainSteps steps) {
    Explanation passing =
        pass(
            Translation.Outcome.MAPPED,
            Leaf.maddr(verdict.leaf(), request.iova()),
            PageSize.ofLevel(Leaf.level(verdict.leaf())),
            steps);
    return passing.found(verdict.cached(), verdict.stale());
  }

  private Explanation pass(
      Translation.Outcome outcome, long maddr, PageSize page, ExplainSteps steps) {
    boolean protectedRegion = end.protects(maddr);
    if (protectedRegion) {
      register(steps, Register.PMEN, "0x%x lies in a protected region".formatted(maddr), false);
    }
    return new Explanation(
        protectedRegion ? Translation.Outcome.PROTECTED : outcome,
        Optional.empty(),
        maddr,
        page,
        false,
        false,
        false,
        steps.list(),
        protectedRegion ? Optional.of("PMEN.EPM were clear") : Optional.empty());
  }
}
