package io.hypercalld.iommu.driver;

import io.hypercalld.core.memory.MachineMemory;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.DmaPermission;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.iommu.vtd.SecondStageEntry;
import java.util.Optional;

/**
 * The tables below a root, entry by entry: made where a leaf needs them, split and put together
 * again. Confined to the machine thread.
 *
 * <p>Reports every change to the {@link FlushSet} that will make it take effect; tables that a
 * change replaced are freed by that flush, never before.
 *
 * @see "VT-d §9.8, xen/drivers/passthrough/vtd/iommu.c, intel_iommu_map_page"
 */
/*
 * A run of leaves that share a table is written on the way down, and on the way back up each table
 * that it changed is looked at: where all 512 entries are absent the table goes, where all are leaves
 * that one larger leaf could replace it does. A table of the third level stays even when it is empty,
 * as a unit that walks three levels may start there.
 *
 * Long runs are put together beside the table, then stored at once: nothing can come in between, and
 * a walk sees whole words either way.
 */
final class DmaTree {
  /** Runs from here on are cheaper by the table than by the entry. */
  private static final int BULK = 32;

  private static final int LOWEST_ROOT_LEVEL = 3;
  private static final int TABLE_ORDER = 9;

  private final long[] words = new long[SecondStageEntry.ENTRIES];
  private final MachineMemory memory;
  private final TableFrames frames;
  private final LeafFormat format;
  private final TableCounters counters;
  private final ContiguityMarkers markers;

  DmaTree(MachineMemory memory, TableFrames frames, LeafFormat format) {
    this.memory = memory;
    this.frames = frames;
    this.format = format;
    this.counters = new TableCounters(frames.size());
    this.markers = new ContiguityMarkers(memory);
  }

  /**
   * Leaves that share a table.
   *
   * @param dfn the first frame that they translate
   * @param entry the first of them, or {@link LeafFormat#ABSENT} for as many holes
   */
  record Leaves(long dfn, int count, PageSize size, long entry) {
    private long step() {
      return entry == LeafFormat.ABSENT ? 0 : size.bytes();
    }
  }

  TableCounters counters() {
    return counters;
  }

  /** A new table without entries. */
  long allocate() {
    long table = frames.allocate();
    markers.clear(table);
    counters.tables++;
    return table;
  }

  /** Writes leaves below {@code table}, for which frames for tables were made sure of. */
  void store(FlushSet flush, long table, int level, Leaves leaves) {
    if (level == leaves.size().level()) {
      write(flush, table, leaves);
      return;
    }
    int index = index(leaves.dfn(), level);
    long at = at(table, index);
    long above = read(at);
    if (!SecondStageEntry.isPresent(above)) {
      if (leaves.entry() == LeafFormat.ABSENT) {
        return;
      }
      above = link(table, index, level, allocate());
    } else if (SecondStageEntry.isLeaf(above, level)) {
      if (saysTheSame(above, level, leaves)) {
        return;
      }
      above = split(table, index, level);
    }
    long child = SecondStageEntry.target(above);
    store(flush, child, level - 1, leaves);
    if (markers.isUniform(child)) {
      settle(flush, table, level, leaves.dfn());
    }
  }

  private static boolean saysTheSame(long leaf, int level, Leaves leaves) {
    if (leaves.entry() == LeafFormat.ABSENT) {
      return false;
    }
    long inside = leaves.dfn() << PageSize.SHIFT_4K & (PageSize.ofLevel(level).bytes() - 1);
    long there = ContiguityMarkers.without(leaf) + inside;
    return leaves.entry() == (leaves.size() == PageSize.SIZE_4K ? smallest(there) : there);
  }

  /** A leaf of the lowest level has no PS bit. */
  private static long smallest(long leaf) {
    return SecondStageEntry.PS.clear(leaf);
  }

  private void write(FlushSet flush, long table, Leaves leaves) {
    if (leaves.count() >= BULK) {
      writeMany(flush, table, leaves);
      return;
    }
    int level = leaves.size().level();
    int first = index(leaves.dfn(), level);
    long frames = leaves.size().frames();
    for (int i = 0; i < leaves.count(); i++) {
      long at = at(table, first + i);
      long before = read(at);
      long entry = leaves.entry() + i * leaves.step();
      if (ContiguityMarkers.without(before) != entry) {
        memory.writeWord(at, entry);
        counters.entryWrites++;
        markers.update(table, first + i, level);
        note(flush, before, leaves.dfn() + i * frames, leaves.size());
      }
    }
  }

  private void writeMany(FlushSet flush, long table, Leaves leaves) {
    int level = leaves.size().level();
    int first = index(leaves.dfn(), level);
    memory.readWords(table, words, words.length);
    counters.entryReads += leaves.count();
    long entry = leaves.entry();
    long step = leaves.step();
    int changed = 0;
    long before = LeafFormat.ABSENT;
    for (int i = first, end = first + leaves.count(); i < end; i++) {
      long was = ContiguityMarkers.without(words[i]);
      if (was != entry) {
        words[i] = entry;
        changed++;
        // Of leaves of the lowest level it matters to the flush only whether any was there.
        before |= was;
        if (level > 1) {
          note(flush, was, leaves.dfn() + (i - first) * leaves.size().frames(), leaves.size());
        }
      }
      entry += step;
    }
    counters.entryWrites += changed;
    if (changed > 0) {
      if (level == 1) {
        noteRun(flush, before, leaves);
      }
      ContiguityMarkers.recompute(words, level);
      memory.writeWords(table, words, words.length);
    }
  }

  /** The same of a run of the lowest level, whose entries were what ORed gives {@code before}. */
  private static void noteRun(FlushSet flush, long before, Leaves leaves) {
    if (SecondStageEntry.isPresent(before)) {
      flush.modified(leaves.dfn(), leaves.count());
    } else {
      flush.added(leaves.dfn(), leaves.count());
    }
  }

  /** Tells the flush what became of an entry that is not what it was. */
  private void note(FlushSet flush, long before, long dfn, PageSize size) {
    if (!SecondStageEntry.isPresent(before)) {
      flush.added(dfn, size.frames());
    } else if (SecondStageEntry.isLeaf(before, size.level())) {
      flush.modified(dfn, size.frames());
    } else {
      flush.modified(dfn, size.frames());
      // Whatever the paging-structure caches hold of the subtree must go before its frames do.
      flush.everything();
      release(flush, SecondStageEntry.target(before), size.level() - 1);
    }
  }

  /** Hooks a table up; what it says is what the entry said before. */
  long link(long table, int index, int level, long child) {
    long entry = SecondStageEntry.table(child);
    memory.writeWord(at(table, index), entry);
    counters.links++;
    markers.update(table, index, level);
    return entry;
  }

  /** Replaces a leaf by a table of leaves that say the same; translations do not change. */
  private long split(long table, int index, int level) {
    long leaf = ContiguityMarkers.without(memory.readWord(at(table, index)));
    long child = frames.allocate();
    PageSize size = PageSize.ofLevel(level - 1);
    long entry = size == PageSize.SIZE_4K ? smallest(leaf) : leaf;
    for (int i = 0; i < words.length; i++) {
      words[i] = entry + i * size.bytes() | ContiguityMarkers.ofUniform(i);
    }
    memory.writeWords(child, words, words.length);
    counters.tables++;
    counters.entryWrites += words.length;
    counters.splits++;
    return link(table, index, level, child);
  }

  /**
   * Drops the table below an entry, all of whose entries are alike, if something can replace it.
   */
  private void settle(FlushSet flush, long table, int level, long dfn) {
    int index = index(dfn, level);
    long child = SecondStageEntry.target(memory.readWord(at(table, index)));
    long first = ContiguityMarkers.without(memory.readWord(child));
    boolean empty = !SecondStageEntry.isPresent(first);
    if (empty ? level > LOWEST_ROOT_LEVEL : !format.allowsLeavesAt(level)) {
      return;
    }
    if (empty) {
      memory.writeWord(at(table, index), LeafFormat.ABSENT);
      counters.links++;
    } else {
      memory.writeWord(at(table, index), SecondStageEntry.PS.set(first));
      counters.entryWrites++;
      counters.coalesces++;
      PageSize size = PageSize.ofLevel(level);
      flush.modified(dfn & -size.frames(), size.frames());
    }
    flush.everything();
    markers.update(table, index, level);
    drop(flush, child);
  }

  /** Hands a subtree's frames to the flush. */
  private void release(FlushSet flush, long table, int level) {
    if (level > 1) {
      for (int i = 0; i < SecondStageEntry.ENTRIES; i++) {
        long entry = read(at(table, i));
        if (SecondStageEntry.isPresent(entry) && !SecondStageEntry.isLeaf(entry, level)) {
          release(flush, SecondStageEntry.target(entry), level - 1);
        }
      }
    }
    drop(flush, table);
  }

  private void drop(FlushSet flush, long table) {
    counters.tables--;
    flush.freeAfterwards(frames.of(table));
  }

  /** Frees a table and all below it at once: when nothing can remember them. */
  void destroy(long table, int level) {
    if (level > 1) {
      for (int i = 0; i < SecondStageEntry.ENTRIES; i++) {
        long entry = memory.readWord(at(table, i));
        if (SecondStageEntry.isPresent(entry) && !SecondStageEntry.isLeaf(entry, level)) {
          destroy(SecondStageEntry.target(entry), level - 1);
        }
      }
    }
    counters.tables--;
    frames.free(frames.of(table));
  }

  /**
   * The first leaves at or after a frame, as many as follow each other in one table; counts no
   * reads, as nothing translates by it.
   */
  Optional<DmaRun> nextRun(long table, int level, long from) {
    int order = SecondStageEntry.shift(level) - PageSize.SHIFT_4K;
    long base = from & (-1L << (order + TABLE_ORDER));
    for (int i = index(from, level); i < SecondStageEntry.ENTRIES; i++) {
      long entry = ContiguityMarkers.without(memory.readWord(at(table, i)));
      long dfn = base + ((long) i << order);
      if (SecondStageEntry.isPresent(entry)) {
        Optional<DmaRun> found =
            SecondStageEntry.isLeaf(entry, level)
                ? Optional.of(runFrom(table, i, level, dfn))
                : nextRun(SecondStageEntry.target(entry), level - 1, Math.max(from, dfn));
        if (found.isPresent()) {
          return found;
        }
      }
    }
    return Optional.empty();
  }

  private DmaRun runFrom(long table, int first, int level, long dfn) {
    long entry = ContiguityMarkers.without(memory.readWord(at(table, first)));
    long step = PageSize.ofLevel(level).bytes();
    int next = first + 1;
    while (next < SecondStageEntry.ENTRIES
        && ContiguityMarkers.without(memory.readWord(at(table, next)))
            == entry + (next - first) * step) {
      next++;
    }
    return new DmaRun(
        new Gfn(dfn),
        Mfn.containing(SecondStageEntry.target(entry)),
        (next - first) * PageSize.ofLevel(level).frames(),
        SecondStageEntry.permitsWrite(SecondStageEntry.permissions(entry))
            ? DmaPermission.READ_WRITE
            : DmaPermission.READ);
  }

  /** Entry {@code index} of a table. */
  long entry(long table, int index) {
    return read(at(table, index));
  }

  private long read(long at) {
    counters.entryReads++;
    return memory.readWord(at);
  }

  private static int index(long dfn, int level) {
    return SecondStageEntry.index(dfn << PageSize.SHIFT_4K, level);
  }

  private static long at(long table, int index) {
    return table + (long) index * SecondStageEntry.BYTES;
  }
}
