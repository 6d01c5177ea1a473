package io.hypercalld.iommu.unit;

import io.hypercalld.core.memory.MachineMemory;
import io.hypercalld.core.memory.MemoryMap;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.vtd.AddressWidth;
import io.hypercalld.iommu.vtd.ContextCommand;
import io.hypercalld.iommu.vtd.ContextEntry;
import io.hypercalld.iommu.vtd.DmaAccess;
import io.hypercalld.iommu.vtd.GlobalCommand;
import io.hypercalld.iommu.vtd.Register;
import io.hypercalld.iommu.vtd.RootEntry;
import io.hypercalld.iommu.vtd.RootTableAddress;
import io.hypercalld.iommu.vtd.SecondStageEntry;
import io.hypercalld.iommu.vtd.UnitVersion;
import java.util.List;

/**
 * What the benchmarks measure: a device that touches its 4 KiB pages in a scattered order, a unit
 * that translates for it, and the same tables walked by a plain loop.
 *
 * <p>A request begins when the one before it has been answered, and its address is as unknown to
 * the compiler as a device's is: where the compiler knows what the address and the answer cannot
 * be, it takes the index of the top table for a constant and begins before the answer is there, as
 * no walk can.
 */
final class MappedUnit implements AutoCloseable {
  private static final int LEVELS = 4;
  private static final int STRIDE = 40_503;
  private static final long FIRST_IOVA = 0x12_3400_0000L;
  private static final long RAM_BYTES = 64L << 20;
  private static final long ROOT_TABLE = 0x1000L;
  private static final long CONTEXT_TABLE = 0x2000L;
  private static final long TOP = 0x3000L;

  /** Where the pages would be: nobody looks into them. */
  private static final long FIRST_PAGE = 0x1_0000_0000L;

  private static final SourceId REQUESTER = new SourceId(0x0382);

  private final MachineMemory memory;
  private final RemappingUnit unit;
  private final Translation translation = new Translation();
  private final int pages;
  private int page;
  private long answer;

  /** Always zero, which the compiler does not know. */
  private long nothing;

  /**
   * A unit whose context cache holds the device.
   *
   * @param pages how many pages the device touches, a power of two
   * @param iotlbEntries how many of them the unit remembers
   */
  MappedUnit(int pages, int iotlbEntries) {
    this.pages = pages;
    this.memory = new MachineMemory(MemoryMap.of(RAM_BYTES, RAM_BYTES, List.of()));
    UnitSettings settings =
        UnitSettings.of(UnitVersion.V1_0, SimulatedUnit.MODEL, SimulatedUnit.HOST_ADDRESS_WIDTH)
            .withCaches(new UnitSettings.CacheSizes(iotlbEntries, 64));
    this.unit = new RemappingUnit(settings, memory, _ -> {});
    writeTables();
    start();
  }

  private void writeTables() {
    long nextTable = TOP + PageSize.BYTES_4K;
    for (int each = 0; each < pages; each++) {
      long iova = FIRST_IOVA + each * (long) PageSize.BYTES_4K;
      long table = TOP;
      for (int level = LEVELS; level > 1; level--) {
        long slot = table + SecondStageEntry.offset(iova, level);
        if (memory.readWord(slot) == 0) {
          memory.writeWord(slot, SecondStageEntry.table(nextTable));
          nextTable += PageSize.BYTES_4K;
        }
        table = SecondStageEntry.target(memory.readWord(slot));
      }
      memory.writeWord(
          table + SecondStageEntry.offset(iova, 1),
          SecondStageEntry.leaf(
              FIRST_PAGE + each * (long) PageSize.BYTES_4K,
              PageSize.SIZE_4K,
              SecondStageEntry.READ_WRITE));
    }
  }

  private void start() {
    ContextEntry entry = ContextEntry.translating(TOP, AddressWidth.BITS_48, 5);
    memory.writeWord(ROOT_TABLE + RootEntry.offset(REQUESTER), RootEntry.to(CONTEXT_TABLE).lo());
    memory.writeWord(CONTEXT_TABLE + ContextEntry.offset(REQUESTER), entry.lo());
    memory.writeWord(CONTEXT_TABLE + ContextEntry.offset(REQUESTER) + Long.BYTES, entry.hi());
    unit.write64(Register.RTADDR.offset(), RootTableAddress.legacy(ROOT_TABLE));
    unit.write32(Register.GCMD.offset(), SimulatedUnit.bits(GlobalCommand.SRTP));
    unit.write32(Register.GCMD.offset(), SimulatedUnit.bits(GlobalCommand.TE));
    for (int each = 0; each < pages; each++) {
      translate();
    }
  }

  private long nextIova(long answered) {
    page = (page + STRIDE) & (pages - 1);
    return FIRST_IOVA + page * (long) PageSize.BYTES_4K + Long.BYTES + (answered & nothing);
  }

  /** The yardstick: what any software must do to follow the tables. */
  long bareWalk() {
    long iova = nextIova(answer);
    long table = TOP;
    for (int level = LEVELS; level > 1; level--) {
      table =
          SecondStageEntry.target(memory.readWord(table + SecondStageEntry.offset(iova, level)));
    }
    long leaf = memory.readWord(table + SecondStageEntry.offset(iova, 1));
    answer = SecondStageEntry.target(leaf) | (iova & (PageSize.BYTES_4K - 1));
    return answer;
  }

  /** One request through the unit. */
  long translate() {
    unit.translate(REQUESTER, nextIova(translation.maddr()), DmaAccess.READ, translation);
    return translation.maddr();
  }

  void forgetContexts() {
    unit.write64(Register.CCMD.offset(), ContextCommand.device(5, REQUESTER, 0));
  }

  boolean lastHit() {
    return translation.iotlbHit();
  }

  @Override
  public void close() {
    memory.close();
  }
}
