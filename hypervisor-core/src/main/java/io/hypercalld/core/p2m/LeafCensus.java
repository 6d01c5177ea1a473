package io.hypercalld.core.p2m;

/**
 * How many leaves there are of each type at each level, kept with every store. Confined to the
 * machine thread.
 *
 * <p>What is counted is the type that entries store: one that waits to be recalculated still counts
 * as what it was.
 */
final class LeafCensus {
  private static final int LEVELS = 8;
  private final long[] leaves = new long[P2mType.values().length * LEVELS];

  /** Leaves of the type at the level. */
  long of(P2mType type, int level) {
    return leaves[index(type.number(), level)];
  }

  /** Counts as many leaves like the entry, if it is one. */
  void add(long entry, int level, long count) {
    if (isLeaf(entry, level)) {
      leaves[index(P2mEntry.SA_P2MT.getInt(entry), level)] += count;
    }
  }

  void remove(long entry, int level, long count) {
    add(entry, level, -count);
  }

  /** Counts entries of one table as gone, or as there again. */
  void add(long[] entries, Slots slots, int level, long each) {
    int at = slots.from();
    while (at < slots.to()) {
      long entry = entries[at];
      int end = at + 1;
      while (end < slots.to() && P2mEntry.areAlike(entry, entries[end])) {
        end++;
      }
      add(entry, level, each * (end - at));
      at = end;
    }
  }

  private static boolean isLeaf(long entry, int level) {
    return P2mEntry.isValid(entry) && P2mEntry.isLeaf(entry, level);
  }

  private static int index(int type, int level) {
    return type * LEVELS + level;
  }

  /** Slots of a table; the end is exclusive. */
  record Slots(int from, int to) {}
}
