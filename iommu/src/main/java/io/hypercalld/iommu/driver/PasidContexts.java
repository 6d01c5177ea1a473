package io.hypercalld.iommu.driver;

import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.FrameAllocator;
import io.hypercalld.core.memory.FrameTable;
import io.hypercalld.core.memory.FrameUse;
import io.hypercalld.core.memory.MachineMemory;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.transaction.Transaction;
import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.vtd.ContextEntry;
import io.hypercalld.iommu.vtd.PasidDirectoryEntry;
import io.hypercalld.iommu.vtd.PasidEntry;
import io.hypercalld.iommu.vtd.RootTableAddress;
import io.hypercalld.iommu.vtd.ScalableContextEntry;
import io.hypercalld.iommu.vtd.ScalableRootEntry;
import java.util.Map;
import java.util.TreeMap;

/**
 * One unit's root table, context tables, PASID directories and PASID tables, of scalable mode.
 * Confined to the machine thread.
 *
 * <p>Each requester has a directory of its own. A PASID entry is too large for one store, so no
 * entry that the unit can reach is ever changed: every change is another directory, with all tables
 * below it, and one store of the context entry's word that leads to it.
 *
 * @see "VT-d §3.4.3, §9.2, §9.4 to §9.6"
 */
final class PasidContexts implements RequesterTables {
  private static final int ENTRIES = 64;
  private static final int PASIDS_PER_TABLE_SHIFT = 6;

  private final MachineMemory memory;
  private final FrameAllocator frames;
  private final long root;

  /**
   * An empty root table.
   *
   * @throws Refusal ENOMEM no frame is free
   */
  PasidContexts(MachineMemory memory, FrameAllocator frames) {
    this.memory = memory;
    this.frames = frames;
    this.root = allocate(0, FrameUse.ROOT_TABLE);
  }

  private long allocate(int order, FrameUse use) {
    return new Mfn(frames.allocate(order, Long.MAX_VALUE, FrameTable.NO_OWNER, use)).maddr();
  }

  private void free(long table, int order) {
    frames.free(table >>> PageSize.SHIFT_4K, 1L << order);
  }

  @Override
  public long root() {
    return root;
  }

  @Override
  public long rootPointer() {
    return RootTableAddress.scalable(root);
  }

  @Override
  public boolean isScalable() {
    return true;
  }

  @Override
  public void provideTable(Transaction steps, SourceId requester) {
    if (hasTable(requester)) {
      return;
    }
    long at = root + ScalableRootEntry.offset(requester);
    long table = allocate(0, FrameUse.CONTEXT_TABLE);
    memory.writeWord(at, ScalableRootEntry.to(table).word());
    steps.onFailure(
        () -> {
          // Nothing in the table was ever present, so no cache can know of it.
          memory.writeWord(at, 0);
          free(table, 0);
        });
  }

  private ScalableRootEntry half(SourceId requester) {
    return new ScalableRootEntry(memory.readWord(root + ScalableRootEntry.offset(requester)));
  }

  @Override
  public long address(SourceId requester) {
    return half(requester).contextTable() + ScalableContextEntry.offset(requester);
  }

  @Override
  public boolean hasTable(SourceId requester) {
    return half(requester).isPresent();
  }

  @Override
  public ContextEntry words(SourceId requester) {
    if (!hasTable(requester)) {
      return ContextEntry.ABSENT;
    }
    long at = address(requester);
    return new ContextEntry(memory.readWord(at), memory.readWord(at + Long.BYTES));
  }

  /** {@inheritDoc} The half that names the PASID of requests without one goes first. */
  @Override
  public void replace(SourceId requester, ContextEntry words) {
    long at = address(requester);
    memory.writeWord(at + Long.BYTES, words.hi());
    memory.writeWord(at, words.lo());
  }

  @Override
  public RequesterEntry decode(ContextEntry words) {
    ScalableContextEntry context = context(words);
    if (!context.isPresent()) {
      return RequesterEntry.ABSENT;
    }
    TreeMap<Integer, PasidEntry> spaces = new TreeMap<>();
    tables(context).forEach((first, table) -> read(table, first, spaces));
    return new RequesterEntry(
        context.enablesDeviceTlb(), context.enablesPasids(), context.requestPasid(), spaces);
  }

  private static ScalableContextEntry context(ContextEntry words) {
    return new ScalableContextEntry(words.lo(), words.hi(), 0, 0);
  }

  /** The PASID tables below a context entry, by the first PASID of each. */
  private Map<Integer, Long> tables(ScalableContextEntry context) {
    Map<Integer, Long> tables = new TreeMap<>();
    for (int first = 0; first < 1 << context.pasidBits(); first += ENTRIES) {
      long at = context.directory() + PasidDirectoryEntry.offset(first);
      PasidDirectoryEntry entry = new PasidDirectoryEntry(memory.readWord(at));
      if (entry.isPresent()) {
        tables.put(first, entry.table());
      }
    }
    return tables;
  }

  private void read(long table, int first, Map<Integer, PasidEntry> spaces) {
    for (int pasid = first; pasid < first + ENTRIES; pasid++) {
      long at = table + PasidEntry.offset(pasid);
      PasidEntry entry =
          new PasidEntry(
              memory.readWord(at),
              memory.readWord(at + Long.BYTES),
              memory.readWord(at + 2 * Long.BYTES),
              0);
      if (entry.isPresent()) {
        spaces.put(pasid, entry);
      }
    }
  }

  @Override
  public ContextEntry build(RequesterEntry entry) {
    return entry.isPresent() ? Transaction.run(steps -> build(steps, entry)) : ContextEntry.ABSENT;
  }

  private ContextEntry build(Transaction steps, RequesterEntry entry) {
    int bits = pasidBits(entry);
    long directory = allocateFor(steps, directoryOrder(bits));
    Map<Integer, Long> tables = new TreeMap<>();
    entry
        .spaces()
        .forEach(
            (pasid, space) -> {
              long table =
                  tables.computeIfAbsent(
                      pasid >>> PASIDS_PER_TABLE_SHIFT, _ -> allocateFor(steps, 0));
              write(table + PasidEntry.offset(pasid), space);
              memory.writeWord(
                  directory + PasidDirectoryEntry.offset(pasid),
                  PasidDirectoryEntry.to(table).word());
            });
    ScalableContextEntry context =
        ScalableContextEntry.to(directory)
            .with(entry.deviceTlb(), entry.pasids())
            .withPasidBits(bits);
    return new ContextEntry(context.q0(), ScalableContextEntry.RID_PASID.of(entry.requestPasid()));
  }

  private long allocateFor(Transaction steps, int order) {
    long table = allocate(order, FrameUse.PASID_TABLE);
    steps.onFailure(() -> free(table, order));
    return table;
  }

  private void write(long at, PasidEntry entry) {
    memory.writeWord(at + 2 * Long.BYTES, entry.q2());
    memory.writeWord(at + Long.BYTES, entry.q1());
    memory.writeWord(at, entry.q0());
  }

  /** As many as the largest PASID needs, and requests without PASID. */
  private static int pasidBits(RequesterEntry entry) {
    int largest = Math.max(entry.spaces().lastKey(), entry.requestPasid());
    int needed = Integer.SIZE - Integer.numberOfLeadingZeros(largest);
    return Math.max(needed, ScalableContextEntry.LEAST_PASID_BITS);
  }

  private static int directoryOrder(int pasidBits) {
    long bytes = (long) PasidDirectoryEntry.BYTES << (pasidBits - PASIDS_PER_TABLE_SHIFT);
    return Math.max(0, Long.numberOfTrailingZeros(bytes) - PageSize.SHIFT_4K);
  }

  @Override
  public void release(ContextEntry words) {
    ScalableContextEntry context = context(words);
    if (context.isPresent()) {
      tables(context).values().forEach(table -> free(table, 0));
      free(context.directory(), directoryOrder(context.pasidBits()));
    }
  }
}
