package io.hypercalld.iommu.driver;

import io.hypercalld.core.memory.FrameRun;
import io.hypercalld.core.memory.MachineMemory;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.memory.PageWord;
import io.hypercalld.core.memory.Replaced;
import io.hypercalld.core.memory.WordProgression;
import io.hypercalld.iommu.vtd.SecondStageEntry;

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
 * A run of leaves that share a table is written at the end of the way down, and on the way back up
 * each table that it changed is looked at: where all 512 entries are absent the table goes, where all
 * are leaves that one larger leaf could replace it does. A table of the third level stays even when
 * it is empty, as a unit that walks three levels may start there.
 */
final class DmaTree {
  private static final int LOWEST_ROOT_LEVEL = 3;
  private static final int TABLE_ORDER = 9;
  private static final long NOWHERE = -1L;

  /** The tables on the way to the leaves that are being written, by level. */
  private final long[] path = new long[DmaTable.MOST_LEVELS + 1];

  /** The 2 MiB of the lowest table on the path, as long as the path leads there; or nowhere. */
  private long near = NOWHERE;

  /** The entries of the lowest table that is being replaced. */
  private final long[] lowest = new long[SecondStageEntry.ENTRIES];

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

  /** Writes leaves below a root, for which frames for tables were made sure of. */
  void store(FlushSet flush, long root, int levels, LeafRun leaves) {
    int lowest = leaves.size().level();
    path[levels] = root;
    if ((lowest > 1 || !isNear(leaves.dfn())) && !descend(levels, lowest, leaves)) {
      return;
    }
    if (lowest == 1 && leaves.count() > 1) {
      writeSmallest(flush, leaves);
    } else {
      writeEach(flush, leaves);
    }
    settle(flush, lowest, levels, leaves.dfn());
  }

  /** Writes the entry of one page, whose table {@link #isNear} says is at hand. */
  void storeNear(FlushSet flush, int levels, long dfn, long entry) {
    storeEntry(flush, PageSize.SIZE_4K, dfn, entry);
    settle(flush, 1, levels, dfn);
  }

  /** Has frames of one lowest table lead where words say, for which frames were made sure of. */
  void replace(FlushSet flush, DmaTable.Top top, FrameRun dfns, long[] words) {
    int first = index(dfns.mfn(), 1);
    int end = first + (int) dfns.count();
    path[top.levels()] = top.root();
    if (!isNear(dfns.mfn())
        && !descend(top.levels(), 1, new Words(dfns.mfn(), areHoles(words, first, end)))) {
      return;
    }
    memory.readWords(path[1], lowest, lowest.length);
    counters.entryReads += dfns.count();
    long any = 0;
    int changed = 0;
    for (int i = 0; i < lowest.length; i++) {
      lowest[i] = ContiguityMarkers.without(lowest[i]);
      long entry = i >= first && i < end ? format.leaf(words[i]) : lowest[i];
      if (lowest[i] != entry) {
        any |= lowest[i];
        lowest[i] = entry;
        changed++;
      }
    }
    if (changed > 0) {
      markers.rewrite(path[1], lowest);
      counters.entryWrites += changed;
      note(flush, any, dfns);
    }
    settle(flush, 1, top.levels(), dfns.mfn());
  }

  private static boolean areHoles(long[] words, int first, int end) {
    long any = 0;
    for (int i = first; i < end; i++) {
      any |= words[i];
    }
    return any == PageWord.ABSENT;
  }

  /**
   * Whether a frame is translated by the lowest table of the last one: neighbours are written one
   * after the other, and each but the first finds its table here.
   */
  boolean isNear(long dfn) {
    return dfn >>> TABLE_ORDER == near;
  }

  /** What is to be written below a root. */
  interface Wanted {
    /** The first frame that it translates. */
    long dfn();

    /** Whether it is entries that map nothing. */
    boolean areHoles();

    /** Whether a leaf that is larger says what it says. */
    boolean agreesWith(long leaf, PageSize larger);
  }

  /** Leaves of 4 KiB, whatever they say. */
  private record Words(long dfn, boolean areHoles) implements Wanted {
    @Override
    public boolean agreesWith(long leaf, PageSize larger) {
      return false;
    }
  }

  /** Goes down to a level, making the tables that are needed; whether there is need to write. */
  private boolean descend(int levels, int lowest, Wanted wanted) {
    near = NOWHERE;
    for (int level = levels; level > lowest; level--) {
      if (!enter(level, wanted)) {
        return false;
      }
    }
    near = lowest == 1 ? wanted.dfn() >>> TABLE_ORDER : NOWHERE;
    return true;
  }

  /** Goes on to the table below, made where there is need for one; whether there is to write. */
  private boolean enter(int level, Wanted wanted) {
    long table = path[level];
    int index = index(wanted.dfn(), level);
    long entry = read(at(table, index));
    if (!SecondStageEntry.isPresent(entry)) {
      if (wanted.areHoles()) {
        return false;
      }
      entry = link(table, index, level, allocate());
    } else if (SecondStageEntry.isLeaf(entry, level)) {
      if (wanted.agreesWith(ContiguityMarkers.without(entry), PageSize.ofLevel(level))) {
        return false;
      }
      entry = split(table, index, level);
    }
    path[level - 1] = SecondStageEntry.target(entry);
    return true;
  }

  private void writeSmallest(FlushSet flush, LeafRun leaves) {
    long table = path[1];
    int first = leaves.index(1);
    counters.entryReads += leaves.count();
    Replaced replaced = markers.replace(table, first, leaves.count(), leaves.entries());
    counters.entryWrites += replaced.count();
    if (replaced.count() > 0) {
      note(flush, replaced.any(), new FrameRun(leaves.dfn(), leaves.count()));
    }
  }

  private void writeEach(FlushSet flush, LeafRun leaves) {
    PageSize size = leaves.size();
    for (int i = 0; i < leaves.count(); i++) {
      storeEntry(flush, size, leaves.dfn() + i * size.frames(), leaves.entry(i));
    }
  }

  private void storeEntry(FlushSet flush, PageSize size, long dfn, long entry) {
    int level = size.level();
    int index = index(dfn, level);
    long before = ContiguityMarkers.without(read(at(path[level], index)));
    if (before != entry) {
      markers.write(path[level], index, entry, level);
      counters.entryWrites++;
      note(flush, before, dfn, size);
    }
  }

  /** Tells the flush of leaves of 4 KiB, among which entries with these bits were replaced. */
  private static void note(FlushSet flush, long before, FrameRun dfns) {
    if (SecondStageEntry.isPresent(before)) {
      flush.modified(dfns.mfn(), dfns.count());
    } else {
      flush.added(dfns.mfn(), dfns.count());
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
    near = NOWHERE;
    long entry = SecondStageEntry.table(child);
    markers.write(table, index, entry, level);
    counters.links++;
    return entry;
  }

  /** Replaces a leaf by a table of leaves that say the same; translations do not change. */
  private long split(long table, int index, int level) {
    long leaf = ContiguityMarkers.without(memory.readWord(at(table, index)));
    long child = frames.allocate();
    PageSize size = PageSize.ofLevel(level - 1);
    long entry = size == PageSize.SIZE_4K ? SecondStageEntry.PS.clear(leaf) : leaf;
    markers.fill(child, new WordProgression(entry, size.bytes()));
    counters.tables++;
    counters.entryWrites += SecondStageEntry.ENTRIES;
    counters.splits++;
    return link(table, index, level, child);
  }

  /** Looks at the tables on the path from a level up that are changed, as long as one changes. */
  private void settle(FlushSet flush, int lowest, int levels, long dfn) {
    for (int level = lowest; level < levels && markers.isUniform(path[level]); level++) {
      replace(flush, level + 1, dfn);
    }
  }

  /**
   * Drops the table below an entry of the level on the path, all of whose entries are alike, if
   * something can replace it.
   */
  private void replace(FlushSet flush, int level, long dfn) {
    long table = path[level];
    int index = index(dfn, level);
    long child = path[level - 1];
    long first = ContiguityMarkers.without(memory.readWord(child));
    boolean empty = !SecondStageEntry.isPresent(first);
    if (empty ? level > LOWEST_ROOT_LEVEL : !format.allowsLeavesAt(level)) {
      return;
    }
    if (empty) {
      markers.write(table, index, LeafFormat.ABSENT, level);
      counters.links++;
    } else {
      markers.write(table, index, SecondStageEntry.PS.set(first), level);
      counters.entryWrites++;
      counters.coalesces++;
      PageSize size = PageSize.ofLevel(level);
      flush.modified(dfn & -size.frames(), size.frames());
    }
    flush.everything();
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
    near = NOWHERE;
    counters.tables--;
    flush.freeAfterwards(frames.of(table));
  }

  /** Frees a table and all below it at once: when nothing can remember them. */
  void destroy(long table, int level) {
    near = NOWHERE;
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
