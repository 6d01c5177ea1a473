package io.hypercalld.core.p2m;

import io.hypercalld.core.memory.MachineMemory;
import io.hypercalld.core.memory.PageSize;

/**
 * Looks guest frames up; where nothing is marked and the tables are x86's, as fast as a bare walk.
 * Confined to the machine thread.
 */
final class P2mWalker {
  private static final long LEVEL_MASK = Long.BYTES - 1;
  private static final int ORDER_PER_LEVEL = PageSize.SIZE_2M.order();
  private static final int ROOT_LEVEL = 4;

  private final P2mCounters counters;
  private final MachineMemory memory;
  private final TableTree tree;
  private final P2mReader reader;
  private final boolean isX86;
  private final long root;

  P2mWalker(MachineMemory memory, TableTree tree, P2mReader reader) {
    this.memory = memory;
    this.tree = tree;
    this.reader = reader;
    this.counters = tree.counters();
    this.isX86 = tree.geometry() == P2mGeometry.GRANULE_4K;
    this.root = tree.root();
  }

  P2mLookup lookup(long gfn) {
    if (Long.compareUnsigned(gfn, tree.highest) > 0) {
      return beyond(gfn);
    }
    if (tree.marks > 0 || !isX86) {
      return reader.lookup(gfn);
    }
    long found = walk(gfn);
    int level = (int) (found & LEVEL_MASK);
    int order = ORDER_PER_LEVEL * (level - 1);
    return new P2mLookup(memory.readWord(found - level), gfn & ((1L << order) - 1), order);
  }

  // Address of the entry where the walk ends, its level in the bits that are zero in an address of
  // a word. Apart from its caller, so that the caller is small enough to be inlined; and level by
  // level, as shifts by constants make it a third faster than a loop.
  private long walk(long gfn) {
    long at = root + P2mEntry.offset(gfn, 4);
    long entry = memory.readWord(at);
    if (!P2mEntry.isTable(entry)) {
      return ended(at, 4);
    }
    at = P2mEntry.target(entry) + P2mEntry.offset(gfn, 3);
    entry = memory.readWord(at);
    if (!P2mEntry.isTable(entry)) {
      return ended(at, 3);
    }
    at = P2mEntry.target(entry) + P2mEntry.offset(gfn, 2);
    entry = memory.readWord(at);
    if (!P2mEntry.isTable(entry)) {
      return ended(at, 2);
    }
    return ended(P2mEntry.target(entry) + P2mEntry.offset(gfn, 1), 1);
  }

  private long ended(long at, int level) {
    counters.entryReads += ROOT_LEVEL + 1 - level;
    return at + level;
  }

  /** Above everything ever mapped: the largest aligned region around the frame that is, too. */
  private P2mLookup beyond(long gfn) {
    P2mGeometry geometry = tree.geometry();
    int level = geometry.levels();
    while (level > 1 && !isBeyond(gfn & -(1L << geometry.order(level)))) {
      level--;
    }
    return new P2mLookup(P2mEntry.EMPTY, 0, geometry.order(level));
  }

  private boolean isBeyond(long gfn) {
    return Long.compareUnsigned(gfn, tree.highest) > 0;
  }
}
