package io.hypercalld.iommu.unit;

import io.hypercalld.core.memory.PhysicalMemory;
import io.hypercalld.iommu.unit.ExplainStep.Table;
import io.hypercalld.iommu.vtd.DmaAccess;
import io.hypercalld.iommu.vtd.FaultReason;
import io.hypercalld.iommu.vtd.InterruptRange;
import io.hypercalld.iommu.vtd.SecondStageEntry;
import io.hypercalld.iommu.vtd.SecondStageFormat;
import org.jspecify.annotations.Nullable;

/**
 * Walks second-stage tables. Confined to the machine thread.
 *
 * <p>Faults have legacy mode's reasons; {@link ScalableReasons} translates them.
 *
 * @see "VT-d §3.7"
 */
final class SecondStageWalk {
  private static final int LEVELS = 6;
  private static final long ACCESSED = SecondStageEntry.A.mask();
  private static final long DIRTY = SecondStageEntry.D.mask();

  private final PhysicalMemory memory;
  private final PagingStructureCache structures;
  private final SecondStageFormat format;
  private final UsualWalk usual;
  private final UnitCounters counters;
  private final Malfunctions malfunctions;

  /** Who hears of the entries; nothing is remembered or marked then. */
  private final @Nullable WalkTrace trace;

  /** Table of level 1 that the last walk went through, and the permissions down to there. */
  private long lowestTable;

  private int permissionsAbove;

  /** Addresses of the entries that the last walk with marks read, by level. */
  private final long[] path = new long[LEVELS + 1];

  private SecondStageWalk(WalkTools tools, UnitCounters counters, @Nullable WalkTrace trace) {
    this.memory = tools.memory();
    this.structures = tools.structures();
    this.format = tools.secondStageFormat();
    this.usual = new UsualWalk(tools, counters);
    this.counters = counters;
    this.malfunctions = tools.malfunctions();
    this.trace = trace;
  }

  /** The walk of hardware. */
  static SecondStageWalk of(WalkTools tools) {
    return new SecondStageWalk(tools, tools.counters(), null);
  }

  /** A walk that ends as hardware's would, but leaves no trace except the one it tells. */
  static SecondStageWalk traced(WalkTools tools, WalkTrace trace) {
    return new SecondStageWalk(tools, new UnitCounters(), trace);
  }

  /**
   * The page that translates {@code iova}, or the reason why there is none: a {@link Leaf} word.
   *
   * @param space what the tables on the way are remembered under
   * @param root machine address of the top table
   * @param levels how many levels of tables there are
   * @param iova an address of at most 57 bits within their reach
   */
  long walk(int space, long root, int levels, long iova, DmaAccess access) {
    long known = recall(space, iova);
    if (known != PagingStructureCache.MISS) {
      return look(Leaf.page(known), Leaf.permissions(known), iova, access);
    }
    long leaf = descend(root, levels, iova, access);
    if (Leaf.level(leaf) == 1) {
      remember(space, iova);
    }
    return leaf;
  }

  private long recall(int space, long iova) {
    if (trace == null) {
      return structures.find(space, iova);
    }
    long known = structures.peek(space, iova);
    if (known != PagingStructureCache.MISS) {
      trace.remembered(Leaf.page(known));
    }
    return known;
  }

  private void remember(int space, long iova) {
    if (trace == null) {
      structures.put(space, iova, lowestTable, permissionsAbove);
    }
  }

  /** The same without remembering tables, as a first level asks for its own tables and pages. */
  long walkNested(AddressSpace space, long gpa, DmaAccess access) {
    int levels = JudgedPasid.secondLevels(space.judged);
    if (JudgedPasid.marksSecondLevel(space.judged)) {
      return walkMarking(space, space.secondLevelRoot, levels, gpa, access);
    }
    return descend(space.secondLevelRoot, levels, gpa, access);
  }

  /** The walk of an address space that has a second level only. */
  long walk(AddressSpace space, long iova, DmaAccess access) {
    int levels = JudgedPasid.secondLevels(space.judged);
    if (!JudgedPasid.marksSecondLevel(space.judged)) {
      return walk(space.number(), space.secondLevelRoot, levels, iova, access);
    }
    return walkMarking(space, space.secondLevelRoot, levels, iova, access);
  }

  /** The entry of level 1 in a table: all that is read where the table is remembered. */
  private long look(long table, int permissions, long iova, DmaAccess access) {
    if (permissions == SecondStageEntry.READ_WRITE && trace == null) {
      long page = usual.secondStagePage(table, iova);
      if (page != UsualWalk.OTHER) {
        counters.entryReads++;
        return arrive(Leaf.of(page, 1, permissions), iova);
      }
    }
    long address = table + SecondStageEntry.offset(iova, 1);
    if (!memory.isRam(address)) {
      return unreadable(1, address, false);
    }
    counters.entryReads++;
    long entry = memory.readWord(address);
    int granted = permissions & SecondStageEntry.permissions(entry);
    long end = judge(entry, 1, granted, iova, access);
    if (trace != null) {
      trace.entry(Table.SECOND_LEVEL, 1, address, entry, end);
    }
    return end;
  }

  private long descend(long top, int levels, long iova, DmaAccess access) {
    if (levels == UsualWalk.LEVELS && trace == null) {
      long table = usual.secondStageTable(top, iova);
      if (table != UsualWalk.OTHER) {
        counters.entryReads += levels - 1;
        lowestTable = table;
        permissionsAbove = SecondStageEntry.READ_WRITE;
        return look(lowestTable, permissionsAbove, iova, access);
      }
    }
    long table = top;
    int level = levels;
    // Most entries only lead on and take no permission away: there is nothing more to judge.
    while (level > 1 && trace == null) {
      long address = table + SecondStageEntry.offset(iova, level);
      if (!memory.isRam(address)) {
        break;
      }
      long entry = memory.readWord(address);
      if (!format.leadsOn(entry)) {
        break;
      }
      table = SecondStageEntry.target(entry);
      level--;
    }
    counters.entryReads += levels - level;
    return judgeAll(table, level, level == levels, iova, access);
  }

  /** The rest of the way, each entry judged; {@code top} where that is the whole of it. */
  private long judgeAll(long first, int levels, boolean top, long iova, DmaAccess access) {
    long table = first;
    int permissions = SecondStageEntry.READ_WRITE;
    for (int level = levels; ; level--) {
      long address = table + SecondStageEntry.offset(iova, level);
      if (!memory.isRam(address)) {
        return unreadable(level, address, top && level == levels);
      }
      counters.entryReads++;
      // One load per level: software may rewrite the entry under us, so act on a snapshot.
      long entry = memory.readWord(address);
      int granted = permissions & SecondStageEntry.permissions(entry);
      long end = judge(entry, level, granted, iova, access);
      if (trace != null) {
        trace.entry(Table.SECOND_LEVEL, level, address, entry, end);
      }
      if (end != 0) {
        lowestTable = table;
        permissionsAbove = permissions;
        return end;
      }
      permissions = granted;
      table = SecondStageEntry.target(entry);
    }
  }

  /** Where the walk ends with this entry; 0 where it leads on. */
  private long judge(long entry, int level, int granted, long iova, DmaAccess access) {
    if (!access.isPermittedBy(granted)) {
      return denied(entry, access.whenDenied(granted));
    }
    if (format.reservedBits(entry, level) != 0) {
      return Leaf.fault(FaultReason.PAGING_ENTRY_RESERVED);
    }
    return SecondStageEntry.isLeaf(entry, level)
        ? arrive(Leaf.of(SecondStageEntry.target(entry), level, granted), iova)
        : 0;
  }

  private long unreadable(int level, long address, boolean top) {
    long fault =
        Leaf.fault(top ? FaultReason.CONTEXT_INVALID : FaultReason.PAGING_ENTRY_UNREADABLE);
    if (trace != null) {
      trace.unreadable(Table.SECOND_LEVEL, level, address, fault);
    }
    return fault;
  }

  private static long denied(long entry, FaultReason reason) {
    return SecondStageEntry.isPresent(entry) ? Leaf.fault(reason) : Leaf.absent(reason);
  }

  private static long arrive(long leaf, long iova) {
    return InterruptRange.contains(Leaf.maddr(leaf, iova))
        ? Leaf.fault(FaultReason.OUTPUT_IN_INTERRUPT_RANGE)
        : leaf;
  }

  /**
   * A walk that marks what it used: every entry accessed, the leaf of a write dirty. It marks
   * nothing before it knows that the request passes.
   */
  private long walkMarking(AddressSpace space, long root, int levels, long iova, DmaAccess access) {
    long leaf = descend(root, levels, iova, access);
    if (Leaf.isFault(leaf)) {
      return leaf;
    }
    int bottom = Leaf.level(leaf);
    long used = readPath(root, levels, bottom, iova);
    boolean writes = access.dirties(Leaf.permissions(leaf));
    boolean dirty = (memory.readWord(path[bottom]) & DIRTY) != 0;
    if ((used & ACCESSED) == 0 || (writes && !dirty)) {
      if (!JudgedPasid.canMark(space.judged)) {
        return Leaf.fault(FaultReason.SECOND_LEVEL_UPDATE_NOT_SNOOPED);
      }
      if (memoryRefusesMarks()) {
        return Leaf.fault(FaultReason.SECOND_LEVEL_UPDATE_FAILED);
      }
      mark(levels, bottom, writes);
    }
    return writes || dirty ? leaf : Leaf.clean(leaf);
  }

  private boolean memoryRefusesMarks() {
    return trace == null ? malfunctions.strikeMark() : malfunctions.wouldStrikeMark();
  }

  /** Notes where the entries of a walk that succeeded lie, and and-s them. */
  private long readPath(long root, int levels, int bottom, long iova) {
    long table = root;
    long used = -1;
    for (int level = levels; level >= bottom; level--) {
      path[level] = table + SecondStageEntry.offset(iova, level);
      long entry = memory.readWord(path[level]);
      used &= entry;
      table = SecondStageEntry.target(entry);
    }
    return used;
  }

  private void mark(int levels, int bottom, boolean writes) {
    for (int level = levels; level >= bottom; level--) {
      long bits = level == bottom && writes ? ACCESSED | DIRTY : ACCESSED;
      if (trace == null && (memory.readWord(path[level]) & bits) != bits) {
        memory.writeWord(path[level], memory.readWord(path[level]) | bits);
      }
    }
  }
}
