package io.hypercalld.iommu.driver;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.FrameAllocator;
import io.hypercalld.core.memory.FrameUse;
import io.hypercalld.core.memory.MachineMemory;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.DmaPermission;
import io.hypercalld.iommu.vtd.SecondStageEntry;

/**
 * The second-stage table that a domain's devices use where they do not share its P2M: four levels,
 * built in frames of the machine. Confined to the machine thread.
 *
 * <p>A device frame number (DFN) is an address as the device gives it, shifted right by 12; for a
 * mirrored table it is the GFN. Every change is reported to the {@link FlushSet} that will make it
 * take effect; frames of tables that a change replaced are freed by that flush, never before.
 *
 * @see "VT-d §9.8, xen/drivers/passthrough/vtd/iommu.c, intel_iommu_map_page"
 */
final class DmaTable implements Digestible {
  /** Levels of every table; a unit that walks fewer starts lower down. */
  static final int LEVELS = 4;

  private final MachineMemory memory;
  private final FrameAllocator frames;
  private final int owner;
  private final LeafFormat format;
  private final TableCounters counters = new TableCounters();
  private final long root;

  /**
   * An empty table.
   *
   * @param owner raw domain id to which the table's frames are charged
   * @throws Refusal ENOMEM no frame is free for the root
   */
  DmaTable(MachineMemory memory, FrameAllocator frames, int owner, LeafFormat format) {
    this.memory = memory;
    this.frames = frames;
    this.owner = owner;
    this.format = format;
    this.root = allocateTable();
  }

  TableCounters counters() {
    return counters;
  }

  /**
   * Machine address of the table in which a unit of {@code levels} levels starts its walk.
   *
   * @throws Refusal ENOMEM where the way down needs a table and no frame is free
   */
  long rootFor(int levels) {
    long table = root;
    for (int level = LEVELS; level > levels; level--) {
      table = tableBelow(table, level);
    }
    return table;
  }

  private long tableBelow(long table, int level) {
    long entry = read(table);
    if (!SecondStageEntry.isPresent(entry)) {
      entry = SecondStageEntry.table(allocateTable());
      write(table, entry);
    } else if (SecondStageEntry.isLeaf(entry, level)) {
      throw new IllegalStateException("a leaf of level " + level + " covers a smaller unit's root");
    }
    return SecondStageEntry.target(entry);
  }

  /**
   * Maps a run, replacing what was there, with the largest leaves that alignment and format allow.
   *
   * @throws Refusal ENOMEM too few frames are free for the tables; nothing changed
   */
  void map(FlushSet flush, long dfn, Mfn mfn, PageSize size, DmaPermission permission) {
    PageSize leaf = format.largest(size);
    requireFrames(leaf, size);
    for (long done = 0; done < size.frames(); done += leaf.frames()) {
      long entry = format.leaf(mfn.plus(done).maddr(), leaf, permission);
      store(flush, dfn + done, leaf, entry);
    }
  }

  /** Unmaps a run; holes in it stay holes. */
  void unmap(FlushSet flush, long dfn, PageSize size) {
    if (leafAbove(dfn, size)) {
      requireFrames(size, size);
    }
    PageSize step = format.largest(size);
    for (long done = 0; done < size.frames(); done += step.frames()) {
      store(flush, dfn + done, step, LeafFormat.ABSENT);
    }
  }

  /**
   * Whether a leaf larger than {@code size} maps the frame, so that unmapping it will split one.
   */
  private boolean leafAbove(long dfn, PageSize size) {
    long table = root;
    for (int level = LEVELS; level > size.level(); level--) {
      long entry = read(table + SecondStageEntry.offset(dfn << PageSize.SHIFT_4K, level));
      if (!SecondStageEntry.isPresent(entry)) {
        return false;
      }
      if (SecondStageEntry.isLeaf(entry, level)) {
        return true;
      }
      table = SecondStageEntry.target(entry);
    }
    return false;
  }

  /** Refuses before the first store what could run out of frames half-way. */
  private void requireFrames(PageSize leaf, PageSize run) {
    long tables = (long) LEVELS - leaf.level();
    for (int level = leaf.level() + 1; level <= run.level(); level++) {
      tables += run.frames() / PageSize.ofLevel(level).frames();
    }
    if (frames.freeFrames() < tables) {
      throw Refusal.of(
          Errno.ENOMEM,
          "%d frames are free, %d may be needed for DMA tables",
          frames.freeFrames(),
          tables);
    }
  }

  private void store(FlushSet flush, long dfn, PageSize leaf, long entry) {
    long table = root;
    for (int level = LEVELS; level > leaf.level(); level--) {
      long at = table + SecondStageEntry.offset(dfn << PageSize.SHIFT_4K, level);
      long above = read(at);
      if (!SecondStageEntry.isPresent(above)) {
        if (!SecondStageEntry.isPresent(entry)) {
          return;
        }
        above = SecondStageEntry.table(allocateTable());
        write(at, above);
      } else if (SecondStageEntry.isLeaf(above, level)) {
        above = split(at, above, level);
      }
      table = SecondStageEntry.target(above);
    }
    replace(flush, table, dfn, leaf, entry);
  }

  private void replace(FlushSet flush, long table, long dfn, PageSize leaf, long entry) {
    long at = table + SecondStageEntry.offset(dfn << PageSize.SHIFT_4K, leaf.level());
    long before = read(at);
    if (before == entry) {
      return;
    }
    write(at, entry);
    if (SecondStageEntry.isPresent(before) && !SecondStageEntry.isLeaf(before, leaf.level())) {
      // Whatever the paging-structure caches hold of the subtree must go before its frames do.
      flush.everything();
      release(flush, SecondStageEntry.target(before), leaf.level() - 1);
    } else if (SecondStageEntry.isPresent(before)) {
      flush.modified(dfn, leaf);
    } else {
      flush.added(dfn, leaf);
    }
  }

  /** Replaces a leaf by a table of leaves that say the same; translations do not change. */
  private long split(long at, long leaf, int level) {
    long table = allocateTable();
    PageSize child = PageSize.ofLevel(level - 1);
    long entry = child == PageSize.SIZE_4K ? SecondStageEntry.PS.clear(leaf) : leaf;
    for (int i = 0; i < SecondStageEntry.ENTRIES; i++) {
      write(table + (long) i * SecondStageEntry.BYTES, entry + i * child.bytes());
    }
    long above = SecondStageEntry.table(table);
    write(at, above);
    counters.splits++;
    return above;
  }

  /** Hands a subtree's frames to the flush. */
  private void release(FlushSet flush, long table, int level) {
    if (level > 1) {
      for (int i = 0; i < SecondStageEntry.ENTRIES; i++) {
        long entry = read(table + (long) i * SecondStageEntry.BYTES);
        if (SecondStageEntry.isPresent(entry) && !SecondStageEntry.isLeaf(entry, level)) {
          release(flush, SecondStageEntry.target(entry), level - 1);
        }
      }
    }
    counters.tables--;
    flush.freeAfterwards(Mfn.containing(table));
  }

  /** Frees every table: when no context entry points here and every cached trace is gone. */
  void destroy() {
    destroy(root, LEVELS);
  }

  private void destroy(long table, int level) {
    if (level > 1) {
      for (int i = 0; i < SecondStageEntry.ENTRIES; i++) {
        long entry = memory.readWord(table + (long) i * SecondStageEntry.BYTES);
        if (SecondStageEntry.isPresent(entry) && !SecondStageEntry.isLeaf(entry, level)) {
          destroy(SecondStageEntry.target(entry), level - 1);
        }
      }
    }
    counters.tables--;
    frames.free(Mfn.containing(table).value());
  }

  private long allocateTable() {
    long mfn = frames.allocate(PageSize.SIZE_4K, owner, FrameUse.DMA_TABLE);
    counters.tables++;
    return new Mfn(mfn).maddr();
  }

  private long read(long at) {
    counters.entryReads++;
    return memory.readWord(at);
  }

  private void write(long at, long entry) {
    counters.entryWrites++;
    memory.writeWord(at, entry);
  }

  /** The root's place; the entries are part of the machine's memory. */
  @Override
  public void digest(StateDigest digest) {
    digest.put(root);
  }
}
