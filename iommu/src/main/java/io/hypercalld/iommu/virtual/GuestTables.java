package io.hypercalld.iommu.virtual;

import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.memory.PhysicalMemory;
import io.hypercalld.core.p2m.DmaPermission;
import io.hypercalld.iommu.unit.RequesterSpace.Translated;
import io.hypercalld.iommu.unit.UnitSettings;
import io.hypercalld.iommu.vtd.InterruptRange;
import io.hypercalld.iommu.vtd.SecondStageEntry;
import io.hypercalld.iommu.vtd.SecondStageFormat;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * Reads a guest's second-level tables a range at a time. Confined to the machine thread.
 *
 * <p>It finds a page exactly where the unit's own walk does; where that ends in a fault there is a
 * hole.
 *
 * @see "VT-d §3.7"
 */
final class GuestTables {
  private static final int SHIFT = PageSize.SHIFT_4K;
  private static final int ORDER_PER_LEVEL = PageSize.SIZE_2M.order();

  private final PhysicalMemory memory;
  private final SecondStageFormat format;
  private long entryReads;

  GuestTables(PhysicalMemory memory, UnitSettings settings) {
    this.memory = memory;
    this.format = new SecondStageFormat(settings.capabilities(), settings.hostAddressWidth());
  }

  /**
   * What the tables say.
   *
   * @param tables guest frames of the tables that were read
   */
  record Reading(List<GuestRun> runs, Set<Long> tables) {}

  /** Entries read so far. */
  long entryReads() {
    return entryReads;
  }

  /** What the tables say of the frames from one to before another. */
  Reading read(Translated space, long from, long to) {
    Reading reading = new Reading(new ArrayList<>(), new TreeSet<>());
    long end = Math.min(to, 1L << (space.addressBits() - SHIFT));
    if (from < end) {
      new Scan(reading, from, end)
          .table(space.root(), space.levels(), 0, SecondStageEntry.READ_WRITE);
    }
    return reading;
  }

  private final class Scan {
    private final Reading reading;
    private final long from;
    private final long end;

    Scan(Reading reading, long from, long end) {
      this.reading = reading;
      this.from = from;
      this.end = end;
    }

    private void table(long table, int level, long first, int permissions) {
      if (!memory.isRam(table)) {
        return;
      }
      reading.tables.add(table >>> SHIFT);
      int order = (level - 1) * ORDER_PER_LEVEL;
      int index = (int) Math.max(0, (from - first) >> order);
      for (; index < SecondStageEntry.ENTRIES && first + ((long) index << order) < end; index++) {
        long entry = memory.readWord(table + (long) index * SecondStageEntry.BYTES);
        entryReads++;
        entry(entry, level, first + ((long) index << order), permissions);
      }
    }

    private void entry(long entry, int level, long first, int above) {
      int permissions = above & SecondStageEntry.permissions(entry);
      if (permissions == 0 || format.reservedBits(entry, level) != 0) {
        return;
      }
      long target = SecondStageEntry.target(entry);
      if (SecondStageEntry.isLeaf(entry, level)) {
        leaf(
            new GuestRun(
                first,
                target >>> SHIFT,
                1L << ((level - 1) * ORDER_PER_LEVEL),
                permission(permissions)));
      } else {
        table(target, level - 1, first, permissions);
      }
    }

    /** A leaf, without the pages that would be taken for interrupts. */
    private void leaf(GuestRun leaf) {
      GuestRun part = leaf.within(from, end);
      long shift = part.dfn() - part.gfn();
      long hole = Math.max(part.dfn(), (InterruptRange.BASE >>> SHIFT) + shift);
      long after = Math.min(part.end(), (InterruptRange.END >>> SHIFT) + shift);
      if (hole < after) {
        add(part.within(part.dfn(), hole));
        add(part.within(after, part.end()));
      } else {
        add(part);
      }
    }

    private void add(GuestRun run) {
      if (run.frames() > 0) {
        append(reading.runs, run);
      }
    }
  }

  private static void append(List<GuestRun> runs, GuestRun run) {
    if (!runs.isEmpty() && runs.getLast().continuesWith(run)) {
      GuestRun last = runs.removeLast();
      runs.add(
          new GuestRun(last.dfn(), last.gfn(), last.frames() + run.frames(), last.permission()));
    } else {
      runs.add(run);
    }
  }

  private static DmaPermission permission(int permissions) {
    return DmaPermission.of(
        SecondStageEntry.permitsRead(permissions), SecondStageEntry.permitsWrite(permissions));
  }
}
