package io.hypercalld.iommu.unit;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.memory.PhysicalMemory;
import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.vtd.ContextEntry;
import io.hypercalld.iommu.vtd.FaultReason;
import io.hypercalld.iommu.vtd.RootEntry;
import io.hypercalld.iommu.vtd.RootTableAddress;
import java.util.Optional;

/**
 * Root and context tables in machine memory, from the root pointer that was set last. Confined to
 * the machine thread.
 *
 * @see "VT-d §3.4.3"
 */
final class ContextTables implements Digestible {
  private static final Optional<FaultReason> INVALID_MODE =
      Optional.of(FaultReason.ROOT_TABLE_MODE_INVALID);

  private final PhysicalMemory memory;
  private final UnitCounters counters;
  private final ContextCache cache;
  private final ContextJudge judge;
  private final boolean remembersFaults;
  private final UnitSettings settings;
  private final int hostAddressWidth;
  private final boolean scalableMode;
  private final boolean abortMode;
  private long root;

  ContextTables(Circuit circuit, ContextCache cache) {
    this.memory = circuit.memory();
    this.counters = circuit.counters();
    this.cache = cache;
    this.settings = circuit.settings();
    this.hostAddressWidth = circuit.settings().hostAddressWidth();
    this.judge = new ContextJudge(circuit.settings());
    this.scalableMode = circuit.capabilities().scalableMode();
    // Without scalable mode nobody can have announced the mode that came with it later.
    this.abortMode = !scalableMode || circuit.capabilities().abortMode();
    this.remembersFaults = circuit.settings().remembersAbsence();
  }

  /** Takes a value of RTADDR into use. */
  void latch(long rootTableAddress) {
    root = settings.latched(rootTableAddress);
  }

  /** The fault of every request in a mode that the unit does not have, or that has no requests. */
  Optional<FaultReason> modeFault() {
    return switch (RootTableAddress.mode(root)) {
      case LEGACY -> Optional.empty();
      case SCALABLE -> scalableMode ? Optional.empty() : INVALID_MODE;
      case RESERVED -> INVALID_MODE;
      case ABORT -> abortMode ? Optional.of(FaultReason.DMA_ABORTED) : INVALID_MODE;
    };
  }

  /** Whether the root pointer is that of scalable mode's tables. */
  boolean isScalable() {
    return scalableMode && RootTableAddress.mode(root) == RootTableAddress.Mode.SCALABLE;
  }

  ContextJudge judge() {
    return judge;
  }

  /** Machine address of the root table, of either mode. */
  long rootTable() {
    return RootTableAddress.table(root);
  }

  long rootEntryAddress(SourceId requester) {
    return rootTable() + RootEntry.offset(requester);
  }

  /** Whether hardware can read an entry there. */
  boolean isReadable(long maddr) {
    return memory.isRam(maddr) && maddr >>> hostAddressWidth == 0;
  }

  RootEntry rootEntry(long maddr) {
    return new RootEntry(memory.readWord(maddr), memory.readWord(maddr + Long.BYTES));
  }

  ContextEntry contextEntry(long maddr) {
    return new ContextEntry(memory.readWord(maddr), memory.readWord(maddr + Long.BYTES));
  }

  /** Reads a requester's entries, remembers the context entry, and says what it means. */
  long fetch(SourceId requester) {
    long rootAddress = rootEntryAddress(requester);
    if (!isReadable(rootAddress)) {
      return fault(requester, FaultReason.ROOT_ENTRY_UNREADABLE);
    }
    RootEntry rootEntry = rootEntry(rootAddress);
    counters.entryReads++;
    Optional<FaultReason> rootFault = judge.fault(rootEntry);
    if (rootFault.isPresent()) {
      return fault(requester, rootFault.get());
    }
    long address = rootEntry.contextTable() + ContextEntry.offset(requester);
    if (!isReadable(address)) {
      return fault(requester, FaultReason.CONTEXT_ENTRY_UNREADABLE);
    }
    ContextEntry entry = contextEntry(address);
    counters.entryReads++;
    long judged = judge.judge(requester.value(), entry);
    if (remembersFaults || !JudgedContext.faults(judged)) {
      cache.put(judged, entry);
    }
    return judged;
  }

  /** Where the tables send a requester's requests, whatever is remembered of them. */
  RequesterSpace spaceOf(SourceId requester) {
    Optional<FaultReason> mode = modeFault();
    if (mode.isPresent()) {
      return new RequesterSpace.Blocked(mode.get());
    }
    long rootAddress = rootEntryAddress(requester);
    if (!isReadable(rootAddress)) {
      return new RequesterSpace.Blocked(FaultReason.ROOT_ENTRY_UNREADABLE);
    }
    RootEntry rootEntry = rootEntry(rootAddress);
    return judge
        .fault(rootEntry)
        .<RequesterSpace>map(RequesterSpace.Blocked::new)
        .orElseGet(() -> spaceAt(rootEntry.contextTable() + ContextEntry.offset(requester)));
  }

  private RequesterSpace spaceAt(long address) {
    if (!isReadable(address)) {
      return new RequesterSpace.Blocked(FaultReason.CONTEXT_ENTRY_UNREADABLE);
    }
    ContextEntry entry = contextEntry(address);
    long judged = judge.judge(0, entry);
    if (JudgedContext.faults(judged)) {
      return new RequesterSpace.Blocked(JudgedContext.reason(judged));
    }
    return JudgedContext.passes(judged)
        ? new RequesterSpace.Passing()
        : new RequesterSpace.Translated(
            entry.domainId(),
            entry.secondStageRoot(),
            JudgedContext.levels(judged),
            JudgedContext.limit(judged));
  }

  private static long fault(SourceId requester, FaultReason reason) {
    return JudgedContext.of(JudgedContext.faulting(reason), requester.value(), false);
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("root-pointer").put(root);
  }
}
