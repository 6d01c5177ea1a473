package io.hypercalld.core.p2m;

import io.hypercalld.core.memory.WordProgression;
import io.hypercalld.core.p2m.LeafCensus.Slots;

/**
 * The entries that a write replaces, by slot from its first one on, and what they have in common.
 * Confined to the machine thread.
 */
final class ReplacedEntries {
  private final long[] entries;
  private int count;

  /** Bits that at least one has. */
  private long any;

  /** Bits that every one has. */
  private long all;

  /** Room for the entries of one table. */
  ReplacedEntries(int most) {
    this.entries = new long[most];
  }

  /** Takes note of consecutive entries. */
  void read(TableTree tree, long at, int wanted) {
    count = wanted;
    tree.read(at, entries, count);
    long some = 0;
    long every = -1;
    for (int i = 0; i < count; i++) {
      some |= entries[i];
      every &= entries[i];
    }
    any = some;
    all = every;
  }

  int count() {
    return count;
  }

  long at(int slot) {
    return entries[slot];
  }

  /** Whether there was nothing at all. */
  boolean areEmpty() {
    return any == P2mEntry.EMPTY && all == P2mEntry.EMPTY;
  }

  /** Whether one lacks the bit that suppresses virtualization exceptions. */
  boolean haveVe() {
    return !P2mEntry.SUPPRESS_VE.isSet(all);
  }

  /** Whether any may be marked. */
  boolean mayBeMarked() {
    return P2mEntry.isMarked(any);
  }

  private boolean areAlike() {
    return P2mEntry.areAlike(any, all);
  }

  /** Counts those from a slot on as gone, or as there again. */
  void count(LeafCensus census, int from, int level, long each) {
    if (areAlike()) {
      census.add(all, level, each * (count - from));
    } else {
      census.add(entries, new Slots(from, count), level, each);
    }
  }

  /** First slot after those whose change to a leaf is like that at {@code from}. */
  int endOfAlike(int from, int level, WordProgression leaves) {
    if (from == 0 && changeAlike(level, leaves)) {
      return count;
    }
    boolean changes = changesDma(from, level, leaves);
    boolean replaces = P2mEntry.isValid(entries[from]);
    int end = from + 1;
    while (end < count
        && P2mEntry.isValid(entries[end]) == replaces
        && changesDma(end, level, leaves) == changes) {
      end++;
    }
    return end;
  }

  /** Whether it shows at once that all change like the first: they differ in frames at most. */
  private boolean changeAlike(int level, WordProgression leaves) {
    if (!areAlike()) {
      return false;
    }
    if (new WordProgression(entries[0], leaves.step()).isOf(entries, count)) {
      return true;
    }
    int moved = leaves.countOthers(entries, count, P2mEntry.MFN.mask());
    return moved == 0 || moved == count || areEmpty() || TableTree.isTable(all, level);
  }

  /** Whether devices see another thing at the slot than before. */
  boolean changesDma(int slot, int level, WordProgression leaves) {
    return LeafWriter.changesDma(level, entries[slot], leaves.at(slot));
  }
}
