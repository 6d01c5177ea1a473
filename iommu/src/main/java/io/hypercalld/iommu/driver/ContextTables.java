package io.hypercalld.iommu.driver;

import io.hypercalld.core.memory.FrameAllocator;
import io.hypercalld.core.memory.FrameTable;
import io.hypercalld.core.memory.FrameUse;
import io.hypercalld.core.memory.MachineMemory;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.transaction.Transaction;
import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.vtd.ContextEntry;
import io.hypercalld.iommu.vtd.RootEntry;

/**
 * One unit's root table and the context tables below it. Confined to the machine thread.
 *
 * @see "VT-d §9.1, §9.3"
 */
final class ContextTables {
  private final MachineMemory memory;
  private final FrameAllocator frames;
  private final long root;

  /**
   * An empty root table.
   *
   * @throws io.hypercalld.core.errno.Refusal ENOMEM no frame is free
   */
  ContextTables(MachineMemory memory, FrameAllocator frames) {
    this.memory = memory;
    this.frames = frames;
    this.root =
        new Mfn(frames.allocate(PageSize.SIZE_4K, FrameTable.NO_OWNER, FrameUse.ROOT_TABLE))
            .maddr();
  }

  /** Machine address of the root table. */
  long root() {
    return root;
  }

  /** The requester's entry; all zero where its bus has no table. */
  ContextEntry entry(SourceId requester) {
    RootEntry above = rootEntry(requester.bus());
    return above.isPresent() ? readContext(addressIn(above, requester)) : ContextEntry.ABSENT;
  }

  /**
   * Makes sure that the bus has a table.
   *
   * @throws io.hypercalld.core.errno.Refusal ENOMEM no frame is free; nothing changed
   */
  void provideTable(Transaction steps, int bus) {
    if (rootEntry(bus).isPresent()) {
      return;
    }
    long table = frames.allocate(PageSize.SIZE_4K, FrameTable.NO_OWNER, FrameUse.CONTEXT_TABLE);
    writeRoot(bus, RootEntry.to(new Mfn(table).maddr()));
    steps.onFailure(
        () -> {
          // Nothing in the table was ever present, so no cache can know of it.
          writeRoot(bus, RootEntry.ABSENT);
          frames.free(table);
        });
  }

  /**
   * Replaces the requester's entry, whose bus has a table.
   *
   * <p>One 16-byte store, as cmpxchg16b makes it: a request sees the old entry or the new one. The
   * halves are stored high first, so that an entry that becomes present is whole when P shows.
   */
  void replace(SourceId requester, ContextEntry entry) {
    long at = addressIn(rootEntry(requester.bus()), requester);
    memory.writeWord(at + Long.BYTES, entry.hi());
    memory.writeWord(at, entry.lo());
  }

  private ContextEntry readContext(long at) {
    return new ContextEntry(memory.readWord(at), memory.readWord(at + Long.BYTES));
  }

  private RootEntry rootEntry(int bus) {
    long at = root + (long) bus * RootEntry.BYTES;
    return new RootEntry(memory.readWord(at), memory.readWord(at + Long.BYTES));
  }

  private void writeRoot(int bus, RootEntry entry) {
    long at = root + (long) bus * RootEntry.BYTES;
    memory.writeWord(at + Long.BYTES, entry.hi());
    memory.writeWord(at, entry.lo());
  }

  private static long addressIn(RootEntry above, SourceId requester) {
    return above.contextTable() + ContextEntry.offset(requester);
  }
}
