package io.hypercalld.iommu.unit;

import io.hypercalld.core.memory.PhysicalMemory;
import io.hypercalld.iommu.unit.ExplainStep.Table;
import io.hypercalld.iommu.vtd.DmaAccess;
import io.hypercalld.iommu.vtd.FaultReason;
import io.hypercalld.iommu.vtd.FirstLevelEntry;
import io.hypercalld.iommu.vtd.FirstLevelFormat;
import io.hypercalld.iommu.vtd.InterruptRange;
import io.hypercalld.iommu.vtd.SecondStageEntry;
import org.jspecify.annotations.Nullable;

/**
 * Walks first-level tables, which a second level may translate. Confined to the machine thread.
 *
 * @see "VT-d §3.6, §3.8"
 */
final class FirstLevelWalk {
  /*
   * An entry is looked at for presence and reserved bits on the way down; what the request may do is
   * decided by all entries together, when the page is reached. Only then are entries marked, and only
   * those that lack a mark.
   *
   * Nested, each table's address and the page's go through the second level first: with four levels
   * each that makes twenty-four entries to read.
   */
  private static final int LEVELS = 5;
  private static final long ACCESSED = FirstLevelEntry.A.mask();
  private static final long DIRTY = FirstLevelEntry.D.mask();
  private static final long EXTENDED_ACCESSED = FirstLevelEntry.EA.mask();

  private final PhysicalMemory memory;
  private final PagingStructureCache structures;
  private final FirstLevelFormat format;
  private final FirstLevelFormat nestedFormat;
  private final SecondStageWalk secondLevel;
  private final UsualWalk usual;
  private final UnitCounters counters;
  private final Malfunctions malfunctions;

  /** Who hears of the entries; nothing is remembered or marked then. */
  private final @Nullable WalkTrace trace;

  /** Where a walk starts: the first table, and the rights above it. */
  private long startTable;

  private long startRights;

  // The last walk's way, by level: the pages of its tables as Leaf words, the entries' addresses
  // before the second level has translated them, and what they were.
  private final long[] places = new long[LEVELS + 1];
  private final long[] inputs = new long[LEVELS + 1];
  private final long[] entries = new long[LEVELS + 1];
  private long lowestTable;
  private long rightsAbove;

  private FirstLevelWalk(
      WalkTools tools,
      SecondStageWalk secondLevel,
      UnitCounters counters,
      @Nullable WalkTrace trace) {
    this.memory = tools.memory();
    this.structures = tools.structures();
    this.format = tools.firstLevelFormat();
    this.nestedFormat = tools.nestedFormat();
    this.secondLevel = secondLevel;
    this.usual = new UsualWalk(tools, counters);
    this.counters = counters;
    this.malfunctions = tools.malfunctions();
    this.trace = trace;
  }

  /** The walk of hardware. */
  static FirstLevelWalk of(WalkTools tools, SecondStageWalk secondLevel) {
    return new FirstLevelWalk(tools, secondLevel, tools.counters(), null);
  }

  /** A walk that ends as hardware's would, but leaves no trace except the one it tells. */
  static FirstLevelWalk traced(WalkTools tools, SecondStageWalk secondLevel, WalkTrace trace) {
    return new FirstLevelWalk(tools, secondLevel, new UnitCounters(), trace);
  }

  /**
   * The page that translates {@code iova}, or the reason why there is none: a {@link Leaf} word.
   *
   * @param iova a canonical address
   */
  long walk(AddressSpace space, long iova, DmaAccess access) {
    if (trace == null && UsualWalk.mayNest(space.judged)) {
      long leaf = usual.nested(space, iova, access);
      return leaf != UsualWalk.OTHER ? leaf : walkAny(space, iova, access);
    }
    return walkAny(space, iova, access);
  }

  private long walkAny(AddressSpace space, long iova, DmaAccess access) {
    int levels = JudgedPasid.firstLevels(space.judged);
    int top = start(space, iova, levels);
    long page = descend(space, top, iova, access);
    long leaf = Leaf.isFault(page) ? page : arrive(space, page, iova, access);
    if (Leaf.isFault(leaf)) {
      return leaf;
    }
    long marked = mark(space, top, Leaf.level(page), leaf, access);
    if (top == levels && Leaf.level(page) == 1 && !Leaf.isFault(marked)) {
      remember(space, iova);
    }
    return marked;
  }

  /** Finds where to start, and says at which level that is. */
  private int start(AddressSpace space, long iova, int levels) {
    long known = space.isNested() ? PagingStructureCache.MISS : recall(space, Iotlb.key(iova));
    if (known == PagingStructureCache.MISS) {
      startTable = space.firstLevelRoot;
      startRights = FirstLevelEntry.ALL_RIGHTS;
      return levels;
    }
    startTable = Leaf.page(known);
    startRights = Leaf.rights(known);
    return 1;
  }

  private long recall(AddressSpace space, long key) {
    if (trace == null) {
      return structures.find(space.number(), key);
    }
    long known = structures.peek(space.number(), key);
    if (known != PagingStructureCache.MISS) {
      trace.remembered(Leaf.page(known));
    }
    return known;
  }

  private void remember(AddressSpace space, long iova) {
    if (trace == null && !space.isNested()) {
      structures.putWithRights(space.number(), Iotlb.key(iova), lowestTable, rightsAbove);
    }
  }

  /** The page of the first level, or the reason why there is none or it may not be used. */
  private long descend(AddressSpace space, int top, long iova, DmaAccess access) {
    long table = startTable;
    long rights = startRights;
    for (int level = top; ; level--) {
      long input = table + SecondStageEntry.offset(iova, level);
      long place = space.isNested() ? nestedTable(space, input, level == top) : table(table);
      if (Leaf.isFault(place)) {
        return place;
      }
      long address = Leaf.maddr(place, input);
      if (!memory.isRam(address)) {
        return unreadable(level, address, level == top);
      }
      // One load per level: software may rewrite the entry under us, so act on a snapshot.
      long entry = memory.readWord(address);
      counters.entryReads++;
      places[level] = place;
      inputs[level] = input;
      entries[level] = entry;
      lowestTable = table;
      rightsAbove = rights;
      rights &= FirstLevelEntry.rights(entry);
      long end = judge(space, entry, level, rights);
      if (end != 0
          && !Leaf.isFault(end)
          && !Privileges.permit(end, access, space.who, space.judged)) {
        end = Leaf.fault(Privileges.whenDenied(end, access, space.who, space.judged));
      }
      if (trace != null) {
        trace.entry(Table.FIRST_LEVEL, level, address, entry, end);
      }
      if (end != 0) {
        return end;
      }
      table = FirstLevelEntry.target(entry);
    }
  }

  private static long table(long address) {
    return Leaf.of(address, 1, SecondStageEntry.READ_WRITE);
  }

  /** Where a table of the first level lies. */
  private long nestedTable(AddressSpace space, long input, boolean top) {
    if (input >>> JudgedPasid.limit(space.judged) != 0) {
      return Leaf.fault(FaultReason.NESTED_ADDRESS_BEYOND_WIDTH);
    }
    long place = ScalableReasons.of(secondLevel.walkNested(space, input, DmaAccess.READ));
    return ScalableReasons.ofNestedTable(place, top);
  }

  private long unreadable(int level, long address, boolean top) {
    long fault =
        Leaf.fault(
            top ? FaultReason.FIRST_LEVEL_TOP_UNREADABLE : FaultReason.FIRST_LEVEL_UNREADABLE);
    if (trace != null) {
      trace.unreadable(Table.FIRST_LEVEL, level, address, fault);
    }
    return fault;
  }

  /** Where the walk ends with this entry, if all rights suffice; 0 where it leads on. */
  private long judge(AddressSpace space, long entry, int level, long rights) {
    if (!FirstLevelEntry.isPresent(entry)) {
      return Leaf.absent(FaultReason.FIRST_LEVEL_NOT_PRESENT);
    }
    FirstLevelFormat reserved = space.isNested() ? nestedFormat : format;
    boolean executeDisable = JudgedPasid.knowsExecuteDisable(space.judged);
    if (reserved.reservedBits(entry, level, executeDisable) != 0) {
      return Leaf.fault(FaultReason.FIRST_LEVEL_RESERVED);
    }
    if (!FirstLevelEntry.isLeaf(entry, level)) {
      return 0;
    }
    long page = Leaf.of(FirstLevelEntry.page(entry, level), level, SecondStageEntry.READ_WRITE);
    return Leaf.withRights(page, rights, !JudgedPasid.protectsWrites(space.judged));
  }

  /** The page in machine memory, or the reason why a request cannot go there. */
  private long arrive(AddressSpace space, long page, long iova, DmaAccess access) {
    long output = Leaf.maddr(page, iova);
    if (!space.isNested()) {
      return InterruptRange.contains(output)
          ? Leaf.fault(FaultReason.SCALABLE_OUTPUT_IN_INTERRUPT_RANGE)
          : page;
    }
    if (output >>> JudgedPasid.limit(space.judged) != 0) {
      return Leaf.fault(FaultReason.INPUT_BEYOND_SECOND_LEVEL);
    }
    long below = ScalableReasons.of(secondLevel.walkNested(space, output, access));
    return Leaf.isFault(below) ? below : Leaf.nested(page, below, output);
  }

  /** Marks the entries that were used; the leaf dirty where bytes will be written. */
  private long mark(AddressSpace space, int top, int bottom, long leaf, DmaAccess access) {
    boolean writes = access.dirties(Leaf.permissions(leaf));
    long used =
        JudgedPasid.marksExtendedAccessed(space.judged) ? ACCESSED | EXTENDED_ACCESSED : ACCESSED;
    boolean complete = true;
    for (int level = top; level >= bottom; level--) {
      complete &= lacking(level, level == bottom && writes ? used | DIRTY : used) == 0;
    }
    if (!complete) {
      if (!JudgedPasid.canMark(space.judged)) {
        return Leaf.fault(FaultReason.FIRST_LEVEL_UPDATE_NOT_SNOOPED);
      }
      if (!areWritable(top, bottom, used, writes)) {
        return Leaf.fault(FaultReason.NESTED_TABLE_NOT_WRITABLE);
      }
      if (trace == null ? malfunctions.strikeMark() : malfunctions.wouldStrikeMark()) {
        return Leaf.fault(FaultReason.FIRST_LEVEL_UPDATE_FAILED);
      }
      for (int level = top; level >= bottom; level--) {
        setMarks(space, level, level == bottom && writes ? used | DIRTY : used);
      }
    }
    return writes || (entries[bottom] & DIRTY) != 0 ? leaf : Leaf.clean(leaf);
  }

  private long lacking(int level, long marks) {
    return marks & ~entries[level];
  }

  /** Whether the second level lets every entry be written that lacks a mark. */
  private boolean areWritable(int top, int bottom, long used, boolean writes) {
    boolean writable = true;
    for (int level = top; level >= bottom; level--) {
      long marks = level == bottom && writes ? used | DIRTY : used;
      writable &=
          lacking(level, marks) == 0
              || SecondStageEntry.permitsWrite(Leaf.permissions(places[level]));
    }
    return writable;
  }

  private void setMarks(AddressSpace space, int level, long marks) {
    if (trace == null && lacking(level, marks) != 0) {
      if (space.isNested() && JudgedPasid.marksSecondLevel(space.judged)) {
        // The table itself is written, which the second level marks.
        secondLevel.walkNested(space, inputs[level], DmaAccess.WRITE);
      }
      long address = Leaf.maddr(places[level], inputs[level]);
      memory.writeWord(address, memory.readWord(address) | marks);
    }
  }
}
