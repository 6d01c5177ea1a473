package io.hypercalld.iommu.driver;

import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.FrameAllocator;
import io.hypercalld.core.memory.FrameTable;
import io.hypercalld.core.memory.FrameUse;
import io.hypercalld.core.memory.MachineMemory;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.transaction.Transaction;
import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.vtd.AddressWidth;
import io.hypercalld.iommu.vtd.ContextEntry;
import io.hypercalld.iommu.vtd.PasidEntry;
import io.hypercalld.iommu.vtd.RootEntry;
import io.hypercalld.iommu.vtd.RootTableAddress;
import io.hypercalld.iommu.vtd.TranslationType;
import java.util.TreeMap;

/**
 * One unit's root table and the context tables below it, of legacy mode. Confined to the machine
 * thread.
 *
 * @see "VT-d §9.1, §9.3"
 */
final class ContextTables implements RequesterTables {
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

  @Override
  public long root() {
    return root;
  }

  @Override
  public long rootPointer() {
    return RootTableAddress.legacy(root);
  }

  @Override
  public boolean isScalable() {
    return false;
  }

  @Override
  public RequesterEntry decode(ContextEntry words) {
    if (!words.isPresent()) {
      return RequesterEntry.ABSENT;
    }
    TreeMap<Integer, PasidEntry> spaces = new TreeMap<>();
    AddressWidth width = AddressWidth.of(words.addressWidthEncoding()).orElseThrow();
    spaces.put(
        0,
        words.translationType() == TranslationType.PASS_THROUGH
            ? PasidEntry.passingThrough(words.domainId()).naming(width)
            : PasidEntry.secondLevel(words.secondStageRoot(), width, words.domainId()));
    boolean deviceTlb = words.translationType() == TranslationType.SECOND_STAGE_WITH_DEVICE_TLB;
    return new RequesterEntry(deviceTlb, false, 0, spaces);
  }

  @Override
  public ContextEntry build(RequesterEntry entry) {
    if (!entry.isLegacy()) {
      throw Refusal.of(Errno.EOPNOTSUPP, "a unit in legacy mode knows neither PASIDs nor nesting");
    }
    return entry.context();
  }

  @Override
  public void release(ContextEntry words) {
    // Nothing lies between a context entry of legacy mode and its paging tables.
  }

  @Override
  public long address(SourceId requester) {
    return addressIn(rootEntry(requester.bus()), requester);
  }

  @Override
  public boolean hasTable(SourceId requester) {
    return rootEntry(requester.bus()).isPresent();
  }

  @Override
  public ContextEntry words(SourceId requester) {
    RootEntry above = rootEntry(requester.bus());
    return above.isPresent() ? readContext(addressIn(above, requester)) : ContextEntry.ABSENT;
  }

  @Override
  public void provideTable(Transaction steps, SourceId requester) {
    int bus = requester.bus();
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
   * {@inheritDoc}
   *
   * <p>It is a store of 16 bytes, as cmpxchg16b makes it: a request sees the old entry or the new
   * one. The halves are stored high first, so that an entry that becomes present is whole when P
   * shows.
   */
  @Override
  public void replace(SourceId requester, ContextEntry entry) {
    long at = address(requester);
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
