package io.hypercalld.iommu.unit;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.memory.MachineMemory;
import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.unit.ExplainStep.Table;
import io.hypercalld.iommu.unit.ExplainStep.Verdict;
import io.hypercalld.iommu.vtd.ContextEntry;
import io.hypercalld.iommu.vtd.FaultReason;
import io.hypercalld.iommu.vtd.InterruptRange;
import io.hypercalld.iommu.vtd.RootEntry;
import io.hypercalld.iommu.vtd.SecondStageEntry;
import io.hypercalld.iommu.vtd.SecondStageFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Reads the tables as {@link ContextTables} and {@link SecondStageWalk} do, but tells of each step
 * and leaves no trace. Confined to the machine thread.
 */
final class TracedTables {
  private final MachineMemory memory;
  private final ContextTables tables;
  private final SecondStageFormat format;

  TracedTables(Circuit circuit, ContextTables tables) {
    this.memory = circuit.memory();
    this.tables = tables;
    this.format =
        new SecondStageFormat(circuit.capabilities(), circuit.settings().hostAddressWidth());
  }

  /**
   * What the tables in memory say about a requester.
   *
   * @param judged a {@link JudgedContext} word
   * @param entry the context entry; the absent one where none can be read
   */
  record Context(long judged, ContextEntry entry) {
    static Context fault(FaultReason reason) {
      return new Context(JudgedContext.faulting(reason), ContextEntry.ABSENT);
    }
  }

  /** Reads a requester's root and context entry. */
  Context context(SourceId requester, List<ExplainStep> steps) {
    long address = tables.rootEntryAddress(requester);
    if (!tables.isReadable(address)) {
      return unreadable(Table.ROOT, address, FaultReason.ROOT_ENTRY_UNREADABLE, steps);
    }
    RootEntry entry = tables.rootEntry(address);
    Optional<FaultReason> fault = tables.judge().fault(entry);
    steps.add(entryStep(Table.ROOT, address, entry.lo(), entry.hi(), entry.decode(), fault));
    return fault.map(Context::fault).orElseGet(() -> contextEntry(entry, requester, steps));
  }

  private Context contextEntry(RootEntry root, SourceId requester, List<ExplainStep> steps) {
    long address = root.contextTable() + ContextEntry.offset(requester);
    if (!tables.isReadable(address)) {
      return unreadable(Table.CONTEXT, address, FaultReason.CONTEXT_ENTRY_UNREADABLE, steps);
    }
    ContextEntry entry = tables.contextEntry(address);
    long judged = tables.judge().judge(requester.value(), entry);
    Optional<FaultReason> fault = fault(judged);
    steps.add(entryStep(Table.CONTEXT, address, entry.lo(), entry.hi(), entry.decode(), fault));
    return new Context(judged, entry);
  }

  /** The fault of a context, if it is one. */
  static Optional<FaultReason> fault(long judged) {
    return JudgedContext.faults(judged)
        ? Optional.of(JudgedContext.reason(judged))
        : Optional.empty();
  }

  private static Context unreadable(
      Table table, long address, FaultReason reason, List<ExplainStep> steps) {
    steps.add(new ExplainStep(table, 0, address, "", Map.of(), Verdict.BLOCKED, reason.text()));
    return Context.fault(reason);
  }

  private static ExplainStep entryStep(
      Table table,
      long address,
      long lo,
      long hi,
      Map<String, Word> fields,
      Optional<FaultReason> fault) {
    return new ExplainStep(
        table,
        0,
        address,
        ExplainStep.raw(lo, hi),
        fields,
        fault.isPresent() ? Verdict.BLOCKED : Verdict.NEXT,
        fault.map(FaultReason::text).orElse("present"));
  }

  /** The page that translates the request, or the reason why there is none: a {@link Leaf} word. */
  long walk(long root, int levels, MemoryRequest request, List<ExplainStep> steps) {
    long table = root;
    int permissions = SecondStageEntry.READ_WRITE;
    for (int level = levels; ; level--) {
      long address = table + SecondStageEntry.offset(request.iova(), level);
      if (!memory.isRam(address)) {
        FaultReason reason = SecondStageWalk.whenUnreadable(level == levels);
        steps.add(pageStep(level, address, 0, Verdict.BLOCKED, reason.text()));
        return Leaf.fault(reason);
      }
      long entry = memory.readWord(address);
      permissions &= SecondStageEntry.permissions(entry);
      Optional<FaultReason> fault = fault(entry, level, permissions, request);
      if (fault.isPresent()) {
        steps.add(pageStep(level, address, entry, Verdict.BLOCKED, fault.get().text()));
        return Leaf.fault(fault.get());
      }
      table = SecondStageEntry.target(entry);
      if (SecondStageEntry.isLeaf(entry, level)) {
        long leaf = Leaf.of(table, level, permissions);
        long maddr = Leaf.maddr(leaf, request.iova());
        steps.add(pageStep(level, address, entry, Verdict.LEAF, "maps to 0x%x".formatted(maddr)));
        return leaf;
      }
      steps.add(pageStep(level, address, entry, Verdict.NEXT, "table at 0x%x".formatted(table)));
    }
  }

  private Optional<FaultReason> fault(
      long entry, int level, int permissions, MemoryRequest request) {
    if (!request.access().isPermittedBy(permissions)) {
      return Optional.of(request.access().whenDenied(permissions));
    }
    if (format.reservedBits(entry, level) != 0) {
      return Optional.of(FaultReason.PAGING_ENTRY_RESERVED);
    }
    if (!SecondStageEntry.isLeaf(entry, level)) {
      return Optional.empty();
    }
    long leaf = Leaf.of(SecondStageEntry.target(entry), level, permissions);
    return InterruptRange.contains(Leaf.maddr(leaf, request.iova()))
        ? Optional.of(FaultReason.OUTPUT_IN_INTERRUPT_RANGE)
        : Optional.empty();
  }

  private static ExplainStep pageStep(
      int level, long address, long entry, Verdict verdict, String note) {
    return new ExplainStep(
        Table.SECOND_LEVEL,
        level,
        address,
        new Word(entry).toString(),
        SecondStageEntry.decode(entry),
        verdict,
        note);
  }
}
