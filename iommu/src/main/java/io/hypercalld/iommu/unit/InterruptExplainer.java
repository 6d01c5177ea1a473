package io.hypercalld.iommu.unit;

import io.hypercalld.core.memory.PhysicalMemory;
import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.unit.ExplainStep.Table;
import io.hypercalld.iommu.unit.ExplainStep.Verdict;
import io.hypercalld.iommu.vtd.FaultReason;
import io.hypercalld.iommu.vtd.GlobalCommand;
import io.hypercalld.iommu.vtd.InterruptEntry;
import io.hypercalld.iommu.vtd.PostedDescriptor;
import io.hypercalld.iommu.vtd.Register;
import io.hypercalld.iommu.vtd.RemappableMessage;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Tells what {@link InterruptRemapper} would do, with the reasons: the judgement is the same, the
 * steps are what it has looked at. Confined to the machine thread.
 */
final class InterruptExplainer {
  private final Circuit circuit;
  private final InterruptRemapper remapper;
  private final FaultLog log;

  InterruptExplainer(Circuit circuit, InterruptRemapper remapper, FaultLog log) {
    this.circuit = circuit;
    this.remapper = remapper;
    this.log = log;
  }

  InterruptExplanation explain(SourceId requester, RemappableMessage message) {
    InterruptJudgement judgement = remapper.judge(requester, message);
    List<ExplainStep> steps = steps(message, judgement);
    Optional<InterruptEntry> inMemory =
        judgement.entry().flatMap(_ -> remapper.entryInMemory(judgement.index()));
    boolean recorded = !judgement.isSuppressed() && log.canRecord(requester.value());
    return new InterruptExplanation(
        verdict(judgement),
        judgement.fault(),
        judgement.index(),
        judgement.cached(),
        judgement.cached() && !judgement.entry().equals(inMemory),
        judgement.fault().isPresent() && recorded,
        steps,
        judgement.fault().map(reason -> InterruptCondition.of(reason, judgement)));
  }

  private static String verdict(InterruptJudgement judgement) {
    if (judgement.fault().isPresent()) {
      return "blocked";
    }
    return judgement
        .entry()
        .map(
            entry ->
                entry.isPosted()
                    ? "posts vector 0x%x to 0x%x".formatted(entry.vector(), entry.descriptor())
                    : "delivers vector 0x%x".formatted(entry.vector()))
        .orElse("delivered as written");
  }

  private List<ExplainStep> steps(RemappableMessage message, InterruptJudgement judgement) {
    List<ExplainStep> steps = new ArrayList<>();
    if (!remapper.isEnabled()) {
      long status = circuit.registers().get(Register.GSTS);
      String note = GlobalCommand.IRE.name() + "S is clear: requests pass";
      steps.add(register(Register.GSTS, status, Verdict.LEAF, note));
      return steps;
    }
    steps.add(message(message, judgement));
    if (message.isRemappable() && !isDecidedBy(message, judgement)) {
      steps.add(table(judgement));
      judgement.entry().ifPresent(entry -> entries(entry, judgement, steps));
      if (judgement.fault().equals(Optional.of(FaultReason.INTERRUPT_ENTRY_UNREADABLE))) {
        steps.add(entry(judgement.index(), Optional.empty(), judgement));
      }
    }
    return steps;
  }

  /** Whether the message itself is what is wrong, or needs no entry. */
  private static boolean isDecidedBy(RemappableMessage message, InterruptJudgement judgement) {
    return !message.isRemappable()
        || judgement.fault().equals(Optional.of(FaultReason.INTERRUPT_REQUEST_RESERVED));
  }

  private static ExplainStep message(RemappableMessage message, InterruptJudgement judgement) {
    boolean decides = isDecidedBy(message, judgement);
    Verdict passing = decides ? Verdict.LEAF : Verdict.NEXT;
    return new ExplainStep(
        Table.MESSAGE,
        0,
        message.address(),
        "0x%x".formatted(Integer.toUnsignedLong(message.data())),
        message.decode(),
        decides && judgement.fault().isPresent() ? Verdict.BLOCKED : passing,
        message.isRemappable() ? "names entry 0x%x".formatted(message.index()) : "names no entry");
  }

  private ExplainStep table(InterruptJudgement judgement) {
    boolean beyond =
        judgement.fault().equals(Optional.of(FaultReason.INTERRUPT_INDEX_BEYOND_TABLE));
    return register(
        Register.IRTA,
        remapper.table(),
        beyond ? Verdict.BLOCKED : Verdict.NEXT,
        beyond ? "the table ends before the entry" : "the table as it was set");
  }

  private static ExplainStep register(Register register, long value, Verdict verdict, String note) {
    return new ExplainStep(
        Table.REGISTER,
        0,
        register.offset(),
        "0x%x".formatted(value),
        register.layout().decode(value),
        verdict,
        note);
  }

  private void entries(InterruptEntry used, InterruptJudgement judgement, List<ExplainStep> steps) {
    boolean hit = judgement.cached();
    Verdict answer = judgement.fault().isPresent() ? Verdict.BLOCKED : Verdict.HIT;
    steps.add(
        new ExplainStep(
            Table.INTERRUPT_CACHE,
            0,
            0,
            hit ? ExplainStep.raw(used.lo(), used.hi()) : "",
            hit ? used.decode() : Map.of(),
            hit ? answer : Verdict.MISS,
            hit ? "remembered: memory is not read" : "not remembered: memory decides"));
    steps.add(entry(judgement.index(), remapper.entryInMemory(judgement.index()), judgement));
    if (used.isPosted() && concernsDescriptor(judgement)) {
      steps.add(descriptor(used.descriptor(), judgement));
    }
  }

  private ExplainStep entry(
      int index, Optional<InterruptEntry> entry, InterruptJudgement judgement) {
    boolean blocked = judgement.fault().isPresent() && !concernsDescriptor(judgement);
    boolean posts = entry.filter(InterruptEntry::isPosted).isPresent();
    Verdict passing = posts ? Verdict.NEXT : Verdict.LEAF;
    return new ExplainStep(
        Table.INTERRUPT,
        0,
        InterruptJudge.address(remapper.table(), index),
        entry.map(found -> ExplainStep.raw(found.lo(), found.hi())).orElse(""),
        entry.map(InterruptEntry::decode).orElse(Map.of()),
        blocked ? Verdict.BLOCKED : passing,
        blocked ? judgement.fault().map(FaultReason::text).orElse("") : "takes the request");
  }

  /** Whether the judgement came as far as the posted-interrupt descriptor. */
  private static boolean concernsDescriptor(InterruptJudgement judgement) {
    return judgement
        .fault()
        .map(
            reason ->
                reason == FaultReason.POSTED_DESCRIPTOR_UNREADABLE
                    || reason == FaultReason.POSTED_DESCRIPTOR_RESERVED)
        .orElse(true);
  }

  private ExplainStep descriptor(long descriptor, InterruptJudgement judgement) {
    PhysicalMemory memory = circuit.memory();
    long at = descriptor + PostedDescriptor.CONTROL_OFFSET;
    boolean readable = memory.isRam(descriptor, PostedDescriptor.BYTES);
    long control = readable ? memory.readWord(at) : 0;
    return new ExplainStep(
        Table.POSTED_DESCRIPTOR,
        0,
        at,
        readable ? "0x%x".formatted(control) : "",
        readable ? PostedDescriptor.CONTROL.decode(control) : Map.of(),
        judgement.fault().isPresent() ? Verdict.BLOCKED : Verdict.LEAF,
        judgement.fault().map(FaultReason::text).orElse("takes the request bit"));
  }
}
