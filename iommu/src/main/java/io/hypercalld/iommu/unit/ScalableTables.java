package io.hypercalld.iommu.unit;

import io.hypercalld.core.memory.PhysicalMemory;
import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.vtd.ContextEntry;
import io.hypercalld.iommu.vtd.FaultReason;
import io.hypercalld.iommu.vtd.PasidDirectoryEntry;
import io.hypercalld.iommu.vtd.PasidEntry;
import io.hypercalld.iommu.vtd.ScalableContextEntry;
import io.hypercalld.iommu.vtd.ScalableRootEntry;
import java.util.Optional;

/**
 * Root, context and PASID tables of scalable mode in memory. Confined to the machine thread.
 *
 * @see "VT-d §3.4.3"
 */
final class ScalableTables {
  private final PhysicalMemory memory;
  private final UnitCounters counters;
  private final TranslationCaches caches;
  private final ScalableJudge judge;
  private final boolean remembersFaults;
  private final int hostAddressWidth;
  private long rootTable;

  ScalableTables(Circuit circuit, TranslationCaches caches) {
    this.memory = caches.walkTools().memory();
    this.counters = circuit.counters();
    this.caches = caches;
    this.hostAddressWidth = circuit.settings().hostAddressWidth();
    this.judge = new ScalableJudge(circuit.capabilities(), hostAddressWidth);
    this.remembersFaults = circuit.settings().remembersAbsence();
  }

  /** Takes a root table into use; what is remembered stays. */
  void setRoot(long table) {
    rootTable = table;
  }

  long rootEntryAddress(SourceId requester) {
    return rootTable + ScalableRootEntry.offset(requester);
  }

  int hostAddressWidth() {
    return hostAddressWidth;
  }

  ScalableJudge judge() {
    return judge;
  }

  /** Whether hardware can read an entry there. */
  boolean isReadable(long address) {
    return address >>> hostAddressWidth == 0 && memory.isRam(address);
  }

  ScalableRootEntry rootEntry(long address) {
    return new ScalableRootEntry(memory.readWord(address));
  }

  ScalableContextEntry contextEntry(long address) {
    return new ScalableContextEntry(
        memory.readWord(address),
        memory.readWord(address + Long.BYTES),
        memory.readWord(address + 2 * Long.BYTES),
        memory.readWord(address + 3 * Long.BYTES));
  }

  PasidDirectoryEntry directoryEntry(long address) {
    return new PasidDirectoryEntry(memory.readWord(address));
  }

  PasidEntry pasidEntry(long address) {
    long rest = 0;
    for (int word = 3; word < PasidEntry.BYTES / Long.BYTES; word++) {
      rest |= memory.readWord(address + (long) word * Long.BYTES);
    }
    return new PasidEntry(
        memory.readWord(address),
        memory.readWord(address + Long.BYTES),
        memory.readWord(address + 2 * Long.BYTES),
        rest);
  }

  /** Reads a requester's entries, remembers the context entry, and says what it means. */
  long fetchContext(SourceId requester) {
    long rootAddress = rootEntryAddress(requester);
    if (!isReadable(rootAddress)) {
      return fault(requester, FaultReason.SCALABLE_ROOT_UNREADABLE);
    }
    ScalableRootEntry root = rootEntry(rootAddress);
    counters.entryReads++;
    Optional<FaultReason> rootFault = judge.fault(root);
    if (rootFault.isPresent()) {
      return fault(requester, rootFault.get());
    }
    long address = root.contextTable() + ScalableContextEntry.offset(requester);
    if (!isReadable(address)) {
      return fault(requester, FaultReason.SCALABLE_CONTEXT_UNREADABLE);
    }
    ScalableContextEntry entry = contextEntry(address);
    counters.entryReads++;
    long judged = judge.judge(requester.value(), entry);
    if (remembersFaults || !JudgedContext.faults(judged)) {
      caches.contexts().put(judged, new ContextEntry(entry.q0(), entry.q1()));
    }
    return judged;
  }

  private static long fault(SourceId requester, FaultReason reason) {
    return JudgedContext.of(JudgedContext.faulting(reason), requester.value(), false);
  }

  /**
   * Reads the entries of an address space, remembers its PASID entry, and says what it means: a
   * {@link JudgedPasid} word whose FPD is that of all entries on the way.
   *
   * @param context the requester's context, a {@link JudgedContext} word
   * @param directory machine address of its PASID directory
   */
  long fetchPasid(long context, long directory, int pasid) {
    boolean silent = JudgedContext.disablesFaultProcessing(context);
    long directoryAddress = directory + PasidDirectoryEntry.offset(pasid);
    if (!isReadable(directoryAddress)) {
      return JudgedPasid.faulting(FaultReason.PASID_DIRECTORY_UNREADABLE, silent);
    }
    PasidDirectoryEntry leading = directoryEntry(directoryAddress);
    counters.entryReads++;
    silent |= leading.disablesFaultProcessing();
    Optional<FaultReason> fault = judge.fault(leading);
    if (fault.isPresent()) {
      return JudgedPasid.faulting(fault.get(), silent);
    }
    long address = leading.table() + PasidEntry.offset(pasid);
    if (!isReadable(address)) {
      return JudgedPasid.faulting(FaultReason.PASID_ENTRY_UNREADABLE, silent);
    }
    PasidEntry entry = pasidEntry(address);
    counters.entryReads++;
    return remember(context, pasid, entry, silent);
  }

  /**
   * What a PASID entry means: a {@link JudgedPasid} word without the number of its space.
   *
   * @param silent FPD of the entries that lead to it
   */
  long judgePasid(PasidEntry entry, boolean silent) {
    return JudgedPasid.withFaultProcessingDisabled(
        judge.judge(entry), silent || entry.disablesFaultProcessing());
  }

  private long remember(long context, int pasid, PasidEntry entry, boolean silent) {
    long judged = judgePasid(entry, silent);
    boolean faults = JudgedPasid.faults(judged);
    if (faults && !remembersFaults) {
      return judged;
    }
    long numbered =
        faults ? judged : JudgedPasid.withSpace(judged, caches.space(judged, entry, pasid));
    caches.pasids().put(JudgedContext.sourceId(context), pasid, numbered, entry);
    return numbered;
  }
}
