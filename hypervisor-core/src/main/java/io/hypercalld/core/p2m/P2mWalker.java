package io.hypercalld.core.p2m;

import io.hypercalld.core.memory.MachineMemory;

/**
 * Looks guest frames up; where nothing is marked and the tables are x86's, as fast as a bare walk.
 * Confined to the machine thread.
 */
final class P2mWalker {
  private static final int ORDER_PER_LEVEL = 9;
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
    return walk(gfn);
  }

  // Level by level, not in a loop: only so are shifts and masks those of a bare walk.
  private P2mLookup walk(long gfn) {
    long entry = entry(root, gfn, 4);
    if (!P2mEntry.isTable(entry)) {
      return found(entry, gfn, 4);
    }
    entry = entry(P2mEntry.target(entry), gfn, 3);
    if (!P2mEntry.isTable(entry)) {
      return found(entry, gfn, 3);
    }
    entry = entry(P2mEntry.target(entry), gfn, 2);
    if (!P2mEntry.isTable(entry)) {
      return found(entry, gfn, 2);
    }
    return found(entry(P2mEntry.target(entry), gfn, 1), gfn, 1);
  }

  private long entry(long table, long gfn, int level) {
    return memory.readWord(table + P2mEntry.offset(gfn, level));
  }

  private P2mLookup found(long entry, long gfn, int level) {
    counters.entryReads += ROOT_LEVEL + 1 - level;
    int order = ORDER_PER_LEVEL * (level - 1);
    return new P2mLookup(entry, gfn & ((1L << order) - 1), order);
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
