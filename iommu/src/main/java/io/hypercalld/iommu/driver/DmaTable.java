package io.hypercalld.iommu.driver;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.FrameRun;
import io.hypercalld.core.memory.MachineMemory;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.DmaPermission;
import io.hypercalld.core.transaction.Transaction;
import io.hypercalld.iommu.vtd.SecondStageEntry;
import java.util.Optional;

/**
 * The second-stage table that a domain's devices use where they do not share its P2M, as deep as
 * what is mapped needs and every unit can walk. Confined to the machine thread.
 *
 * <p>A device frame number (DFN) is an address as the device gives it, shifted right by 12; for a
 * mirrored table it is the GFN. Every change is reported to the {@link FlushSet} that will make it
 * take effect.
 *
 * @see "xen/drivers/passthrough/iommu.c, iommu_map"
 */
final class DmaTable implements Digestible {
  /** The most levels that a table has: those of 48 address bits. */
  static final int MOST_LEVELS = 4;

  private static final int ORDER_PER_LEVEL = PageSize.SIZE_2M.order();

  private final TableFrames frames;
  private final LeafFormat format;
  private final DmaTree tree;
  private final DmaRuns runs;
  private final LeafRun leaves;
  private int levels;
  private long root;

  /**
   * An empty table.
   *
   * @param levels how deep it is as long as everything mapped is in reach: 3 or 4
   * @throws Refusal ENOMEM no frame is free for the root
   */
  DmaTable(MachineMemory memory, TableFrames frames, LeafFormat format, int levels) {
    this.frames = frames;
    this.format = format;
    this.tree = new DmaTree(memory, frames, format);
    this.runs = new DmaRuns(memory);
    this.leaves = new LeafRun(format);
    this.levels = levels;
    this.root = tree.allocate();
  }

  TableCounters counters() {
    return tree.counters();
  }

  /** How deep it is now. */
  int levels() {
    return levels;
  }

  /** Whether the frames before {@code end} are in reach of its levels. */
  boolean reaches(long end) {
    return end <= reach();
  }

  /**
   * Puts another level on top, for context entries to point at from now on; what was the root stays
   * for units that walk fewer.
   *
   * @throws Refusal ENOMEM
   */
  void grow(Transaction steps) {
    long before = root;
    long above = tree.allocate();
    steps.onFailure(
        () -> {
          root = before;
          levels--;
          tree.counters().tables--;
          frames.free(frames.of(above));
        });
    tree.link(above, 0, levels + 1, before);
    root = above;
    levels++;
  }

  /**
   * Machine address of the table in which a unit of {@code wanted} levels starts its walk.
   *
   * @throws Refusal ENOMEM where the way down needs a table and no frame is free
   */
  long rootFor(int wanted) {
    long table = root;
    for (int level = levels; level > wanted; level--) {
      table = tableBelow(table, level);
    }
    return table;
  }

  private long tableBelow(long table, int level) {
    long entry = tree.entry(table, 0);
    if (!SecondStageEntry.isPresent(entry)) {
      entry = tree.link(table, 0, level, tree.allocate());
    } else if (SecondStageEntry.isLeaf(entry, level)) {
      throw new IllegalStateException("a leaf of level " + level + " covers a smaller unit's root");
    }
    return SecondStageEntry.target(entry);
  }

  /**
   * Maps a run in reach, replacing what was there, with the largest leaves that alignment and
   * format allow.
   *
   * @throws Refusal ENOMEM too few frames are free for the tables; nothing changed
   */
  void map(FlushSet flush, FrameRun dfns, Mfn mfn, DmaPermission permission) {
    if (isNearPage(dfns)) {
      long entry = format.leaf(mfn.maddr(), PageSize.SIZE_4K, permission);
      tree.storeNear(flush, levels, dfns.mfn(), entry);
      return;
    }
    requireTables(dfns, true);
    leaves.map(dfns, mfn, permission);
    store(flush);
  }

  /**
   * Unmaps a run; holes in it stay holes, and what is out of reach is one.
   *
   * @throws Refusal ENOMEM no frame is free to split a leaf that is partly unmapped; nothing
   *     changed
   */
  void unmap(FlushSet flush, FrameRun dfns) {
    if (isNearPage(dfns)) {
      tree.storeNear(flush, levels, dfns.mfn(), LeafFormat.ABSENT);
      return;
    }
    requireTables(dfns, false);
    long end = Math.min(dfns.mfn() + dfns.count(), reach());
    if (dfns.mfn() < end) {
      leaves.unmap(new FrameRun(dfns.mfn(), end - dfns.mfn()));
      store(flush);
    }
  }

  /**
   * Has frames whose leaves of 4 KiB lie in one table lead where words say, whatever was there.
   *
   * @param words by place in the table, as {@link io.hypercalld.core.memory.PageWord} has them
   * @throws Refusal ENOMEM too few frames are free for the tables; nothing changed
   */
  void replace(FlushSet flush, FrameRun dfns, long[] words) {
    requireTables(dfns, true);
    tree.replace(flush, new Top(root, levels), dfns, words);
  }

  /** The table where every walk begins. */
  record Top(long root, int levels) {}

  /**
   * As {@link #map}, in a table that nothing points at yet: there is nothing to flush, and what
   * larger leaves replace is free at once.
   */
  void mapUnseen(FrameRun dfns, Mfn first, DmaPermission permission) {
    FlushSet unseen = new FlushSet();
    map(unseen, dfns, first, permission);
    unseen.freed().forEach(frames::free);
  }

  private boolean isNearPage(FrameRun dfns) {
    return dfns.count() == 1 && tree.isNear(dfns.mfn());
  }

  private void store(FlushSet flush) {
    while (leaves.next()) {
      tree.store(flush, root, levels, leaves);
    }
  }

  /**
   * Refuses before the first store what could run out of frames half-way. Only where frames are
   * scarce is it counted what is needed.
   */
  private void requireTables(FrameRun dfns, boolean mapping) {
    long most = 0;
    for (int level = 1; level < levels; level++) {
      most += (dfns.count() >>> (level * ORDER_PER_LEVEL)) + 2;
    }
    if (!frames.hasPlenty(most)) {
      frames.require(missing(root, levels, dfns, mapping));
    }
  }

  /** The most tables that a run needs below a table that it touches. */
  private long missing(long table, int level, FrameRun dfns, boolean mapping) {
    if (level == 1) {
      return 0;
    }
    long missing = 0;
    long end = dfns.mfn() + dfns.count();
    long covered = 1L << ((level - 1) * ORDER_PER_LEVEL);
    for (long at = dfns.mfn() & -covered; at < end; at += covered) {
      long from = Math.max(at, dfns.mfn());
      FrameRun part = new FrameRun(from, Math.min(at + covered, end) - from);
      long entry = tree.entry(table, SecondStageEntry.index(at << PageSize.SHIFT_4K, level));
      boolean whole = part.count() == covered && format.allowsLeavesAt(level);
      if (!SecondStageEntry.isPresent(entry)) {
        missing += mapping && !whole ? tablesFor(level - 1, part) : 0;
      } else if (!SecondStageEntry.isLeaf(entry, level)) {
        missing += missing(SecondStageEntry.target(entry), level - 1, part, mapping);
      } else if (!whole) {
        missing += tablesFor(level - 1, part);
      }
    }
    return missing;
  }

  /** A table of the level, and those below it that the frames of a part of it may take. */
  private static long tablesFor(int level, FrameRun part) {
    long tables = 1;
    for (int below = level - 1; below >= 1; below--) {
      int order = below * ORDER_PER_LEVEL;
      tables += ((part.mfn() + part.count() - 1) >>> order) - (part.mfn() >>> order) + 1;
    }
    return tables;
  }

  /** What is mapped at or first after a frame, as far as one table has it. */
  Optional<DmaRun> nextRun(long from) {
    return nextRun(new FrameRun(from, reach() - from));
  }

  /** What is mapped first within some frames; a large leaf at their end may lie partly beyond. */
  Optional<DmaRun> nextRun(FrameRun within) {
    long end = Math.min(within.mfn() + within.count(), reach());
    return within.mfn() < end
        ? runs.next(root, levels, new FrameRun(within.mfn(), end - within.mfn()))
        : Optional.empty();
  }

  private long reach() {
    return 1L << (levels * ORDER_PER_LEVEL);
  }

  /** Frees every table: when no context entry points here and every cached trace is gone. */
  void destroy() {
    tree.destroy(root, levels);
  }

  /** The root's place; the entries are part of the machine's memory. */
  @Override
  public void digest(StateDigest digest) {
    digest.put(root).put(levels);
  }
}
