package io.hypercalld.iommu.virtual;

import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.memory.PageWord;
import io.hypercalld.core.memory.PhysicalMemory;
import io.hypercalld.core.p2m.DmaPermission;
import io.hypercalld.iommu.unit.RequesterSpace.Translated;
import io.hypercalld.iommu.unit.UnitSettings;
import io.hypercalld.iommu.vtd.InterruptRange;
import io.hypercalld.iommu.vtd.SecondStageEntry;
import io.hypercalld.iommu.vtd.SecondStageFormat;
import java.util.ArrayList;
import java.util.List;

/**
 * Reads a guest's second-level tables a range at a time. Confined to the machine thread.
 *
 * <p>It finds a page exactly where the unit's own walk does; where that ends in a fault there is a
 * hole. Tables that lead to themselves could be read for ever: one that says more than a guest has
 * frames for, tables counted as often as they are met, is cut short.
 *
 * @see "VT-d §3.7"
 */
final class GuestTables {
  private static final int SHIFT = PageSize.SHIFT_4K;

  /** Those of 256 GiB in leaves of 4 KiB. */
  private static final long MOST_TABLES = 1 << 17;

  /** 512 GiB in larger leaves, by 2 MiB. */
  private static final long MOST_REGIONS = 1 << 18;

  private static final int ORDER_PER_LEVEL = PageSize.SIZE_2M.order();

  private final Domain domain;
  private final PhysicalMemory memory;
  private final SecondStageFormat format;

  /** The table of the lowest level that is being read. */
  private final long[] lowest = new long[SecondStageEntry.ENTRIES];

  private long entryReads;

  /** How much more may be looked at; below 0 where it was not enough. */
  private long tablesLeft;

  private long regionsLeft;

  GuestTables(Domain domain, PhysicalMemory memory, UnitSettings settings) {
    this.domain = domain;
    this.memory = memory;
    this.format = new SecondStageFormat(settings.capabilities(), settings.hostAddressWidth());
  }

  /** Hears what the tables say, by ascending page. */
  interface Listener {
    /** A guest frame holds a table, or would if it were there. */
    void table(long gfn);

    /** Pages that a large leaf leads to consecutive guest frames. */
    void leaf(GuestRun run);

    /**
     * Pages whose leaves lie in one table.
     *
     * @param first frame of the table's first page, a multiple of 512
     * @param words as {@link PageWord} has them, from one index to before another
     */
    void leaves(long first, long[] words, int from, int to);
  }

  /** Whether something was left out of the last reading. */
  boolean wasCutShort() {
    return tablesLeft < 0 || regionsLeft < 0;
  }

  /** Entries read so far. */
  long entryReads() {
    return entryReads;
  }

  /** Tells what the tables say of the frames from one to before another. */
  void read(Translated space, long from, long to, Listener listener) {
    long end = Math.min(to, 1L << (space.addressBits() - SHIFT));
    tablesLeft = Math.min(MOST_TABLES, domain.reservation().totalPages());
    regionsLeft = MOST_REGIONS;
    if (from < end) {
      new Scan(listener, from, end)
          .table(space.root(), space.levels(), 0, SecondStageEntry.READ_WRITE);
    }
  }

  /** What the tables say of the frames from one to before another. */
  List<GuestRun> runs(Translated space, long from, long to) {
    List<GuestRun> runs = new ArrayList<>();
    read(space, from, to, new RunCollector(runs));
    return runs;
  }

  private record RunCollector(List<GuestRun> runs) implements Listener {
    @Override
    public void table(long gfn) {}

    @Override
    public void leaf(GuestRun run) {
      GuestRun.append(runs, run);
    }

    @Override
    public void leaves(long first, long[] words, int from, int to) {
      for (int page = from; page < to; page++) {
        if (words[page] != PageWord.ABSENT) {
          GuestRun.append(runs, GuestRun.of(first + page, words[page], 1));
        }
      }
    }
  }

  private final class Scan {
    private final Listener listener;
    private final long from;
    private final long end;

    Scan(Listener listener, long from, long end) {
      this.listener = listener;
      this.from = from;
      this.end = end;
    }

    private void table(long table, int level, long first, int permissions) {
      listener.table(table >>> SHIFT);
      if (!memory.isRam(table) || --tablesLeft < 0) {
        return;
      }
      int order = (level - 1) * ORDER_PER_LEVEL;
      int index = (int) Math.max(0, (from - first) >> order);
      int after = (int) Math.min(SecondStageEntry.ENTRIES, ((end - 1 - first) >> order) + 1);
      entryReads += after - index;
      if (level == 1) {
        memory.readWords(table, lowest, index, after);
        translate(lowest, index, after, permissions);
        listener.leaves(first, lowest, index, after);
        return;
      }
      for (; index < after; index++) {
        long entry = memory.readWord(table + (long) index * SecondStageEntry.BYTES);
        entry(entry, level, first + ((long) index << order), permissions);
      }
    }

    /** From entries of the lowest level to what they say. */
    private void translate(long[] words, int index, int after, int above) {
      for (int page = index; page < after; page++) {
        long entry = words[page];
        int permissions = above & SecondStageEntry.permissions(entry);
        long target = SecondStageEntry.target(entry);
        boolean mapped =
            permissions != 0
                && format.reservedBits(entry, 1) == 0
                && !InterruptRange.contains(target);
        words[page] = mapped ? PageWord.of(target >>> SHIFT, permissions) : PageWord.ABSENT;
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
                DmaPermission.ofRights(permissions)));
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
        tell(part.within(part.dfn(), hole));
        tell(part.within(after, part.end()));
      } else {
        tell(part);
      }
    }

    private void tell(GuestRun run) {
      regionsLeft -= run.frames() >>> ORDER_PER_LEVEL;
      if (run.frames() > 0 && regionsLeft >= 0) {
        listener.leaf(run);
      }
    }
  }
}
