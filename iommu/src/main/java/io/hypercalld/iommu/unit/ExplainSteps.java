package io.hypercalld.iommu.unit;

import io.hypercalld.core.bits.Word;
import io.hypercalld.iommu.unit.ExplainStep.Table;
import io.hypercalld.iommu.unit.ExplainStep.Verdict;
import io.hypercalld.iommu.vtd.FaultReason;
import io.hypercalld.iommu.vtd.FirstLevelEntry;
import io.hypercalld.iommu.vtd.Register;
import io.hypercalld.iommu.vtd.SecondStageEntry;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The steps of one request, as they are made. Confined to the machine thread. */
final class ExplainSteps implements WalkTrace {
  private final List<ExplainStep> steps = new ArrayList<>();
  private final MemoryRequest request;
  private final boolean scalable;

  /**
   * No steps yet.
   *
   * @param scalable whether faults have scalable mode's reasons
   */
  ExplainSteps(MemoryRequest request, boolean scalable) {
    this.request = request;
    this.scalable = scalable;
  }

  List<ExplainStep> list() {
    return steps;
  }

  void addAll(ExplainSteps others) {
    steps.addAll(others.steps);
  }

  void register(Register register, long value, String note, boolean passes) {
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

  void miss(Table cache) {
    steps.add(
        new ExplainStep(cache, 0, 0, "", Map.of(), Verdict.MISS, "not remembered: memory decides"));
  }

  void hit(Table cache, String raw, Map<String, Word> fields, boolean blocks) {
    Verdict verdict = blocks ? Verdict.BLOCKED : Verdict.HIT;
    steps.add(new ExplainStep(cache, 0, 0, raw, fields, verdict, "remembered: memory is not read"));
  }

  /** A page is remembered that a write has yet to mark dirty in memory. */
  void clean(long leaf) {
    steps.add(
        new ExplainStep(
            Table.IOTLB,
            0,
            0,
            new Word(leaf).toString(),
            Leaf.decode(leaf),
            Verdict.MISS,
            "remembered, but a write has to mark the entry in memory dirty"));
  }

  /** An entry of a table that is no paging table. */
  void table(
      Table table,
      long address,
      String raw,
      Map<String, Word> fields,
      Optional<FaultReason> fault) {
    steps.add(
        new ExplainStep(
            table,
            0,
            address,
            raw,
            fields,
            fault.isPresent() ? Verdict.BLOCKED : Verdict.NEXT,
            fault.map(FaultReason::text).orElse("present")));
  }

  void unreadable(Table table, long address, FaultReason reason) {
    steps.add(new ExplainStep(table, 0, address, "", Map.of(), Verdict.BLOCKED, reason.text()));
  }

  @Override
  public void entry(Table table, int level, long address, long entry, long end) {
    boolean firstLevel = table == Table.FIRST_LEVEL;
    Map<String, Word> fields =
        firstLevel ? FirstLevelEntry.decode(entry) : SecondStageEntry.decode(entry);
    long target = firstLevel ? FirstLevelEntry.target(entry) : SecondStageEntry.target(entry);
    steps.add(
        new ExplainStep(
            table,
            level,
            address,
            new Word(entry).toString(),
            fields,
            verdict(end),
            note(level, target, end)));
  }

  private static Verdict verdict(long end) {
    if (end == 0) {
      return Verdict.NEXT;
    }
    return Leaf.isFault(end) ? Verdict.BLOCKED : Verdict.LEAF;
  }

  private String note(int level, long target, long end) {
    if (end == 0) {
      return "table at 0x%x".formatted(target);
    }
    if (Leaf.isFault(end)) {
      return text(end);
    }
    long inside = (1L << SecondStageEntry.shift(level)) - 1;
    long offset = request.iova() & inside;
    return "maps to 0x%x".formatted(Leaf.page(end) | offset);
  }

  private String text(long fault) {
    return Leaf.reason(scalable ? ScalableReasons.of(fault) : fault).text();
  }

  @Override
  public void unreadable(Table table, int level, long address, long fault) {
    steps.add(new ExplainStep(table, level, address, "", Map.of(), Verdict.BLOCKED, text(fault)));
  }

  @Override
  public void remembered(long table) {
    steps.add(
        new ExplainStep(
            Table.PAGING_STRUCTURE_CACHE,
            1,
            0,
            "",
            Map.of(),
            Verdict.HIT,
            "the table of level 1 is remembered to be at 0x%x".formatted(table)));
  }
}
