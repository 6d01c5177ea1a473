package io.hypercalld.iommu.unit;

import io.hypercalld.core.memory.MachineMemory;
import io.hypercalld.iommu.vtd.DmaAccess;
import io.hypercalld.iommu.vtd.FaultReason;
import io.hypercalld.iommu.vtd.InterruptRange;
import io.hypercalld.iommu.vtd.SecondStageEntry;
import io.hypercalld.iommu.vtd.SecondStageFormat;

/**
 * Walks second-stage tables in machine memory. Confined to the machine thread.
 *
 * @see "VT-d §3.7"
 */
final class SecondStageWalk {
  private final MachineMemory memory;
  private final SecondStageFormat format;
  private final UnitCounters counters;

  SecondStageWalk(MachineMemory memory, SecondStageFormat format, UnitCounters counters) {
    this.memory = memory;
    this.format = format;
    this.counters = counters;
  }

  /**
   * The page that translates {@code iova}, or the reason why there is none: a {@link Leaf} word.
   *
   * @param root machine address of the top table
   * @param levels how many levels of tables there are
   * @param iova an address within their reach
   */
  long walk(long root, int levels, long iova, DmaAccess access) {
    long table = root;
    int permissions = SecondStageEntry.READ_WRITE;
    for (int level = levels; ; level--) {
      long address = table + SecondStageEntry.offset(iova, level);
      if (!memory.isRam(address)) {
        counters.entryReads += levels - level;
        return Leaf.fault(whenUnreadable(level == levels));
      }
      // One load per level: software may rewrite the entry under us, so act on a snapshot.
      long entry = memory.readWord(address);
      permissions &= SecondStageEntry.permissions(entry);
      if (!access.isPermittedBy(permissions)) {
        counters.entryReads += levels - level + 1;
        return denied(entry, access.whenDenied(permissions));
      }
      if (format.reservedBits(entry, level) != 0) {
        counters.entryReads += levels - level + 1;
        return Leaf.fault(FaultReason.PAGING_ENTRY_RESERVED);
      }
      table = SecondStageEntry.target(entry);
      if (SecondStageEntry.isLeaf(entry, level)) {
        counters.entryReads += levels - level + 1;
        return arrive(Leaf.of(table, level, permissions), iova);
      }
    }
  }

  static FaultReason whenUnreadable(boolean top) {
    return top ? FaultReason.CONTEXT_INVALID : FaultReason.PAGING_ENTRY_UNREADABLE;
  }

  private static long denied(long entry, FaultReason reason) {
    return SecondStageEntry.isPresent(entry) ? Leaf.fault(reason) : Leaf.absent(reason);
  }

  private static long arrive(long leaf, long iova) {
    return InterruptRange.contains(Leaf.maddr(leaf, iova))
        ? Leaf.fault(FaultReason.OUTPUT_IN_INTERRUPT_RANGE)
        : leaf;
  }
}
