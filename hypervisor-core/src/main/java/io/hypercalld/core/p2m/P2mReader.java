package io.hypercalld.core.p2m;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.memory.MachineMemory;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.P2mStep.Verdict;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Reads a P2M for people: walks step by step, and what is mapped in order. Confined to the machine
 * thread; used for one question and thrown away.
 */
final class P2mReader {

  private final MachineMemory memory;
  private final long root;

  /** The leaf found by {@link #seek}. */
  private long gfn;

  private int level;
  private long entry;

  P2mReader(MachineMemory memory, long root) {
    this.memory = memory;
    this.root = root;
  }

  List<P2mStep> explain(long wanted) {
    List<P2mStep> steps = new ArrayList<>();
    if (wanted >>> P2mTable.GFN_BITS != 0) {
      return steps;
    }
    long table = root;
    for (int at = TableTree.ROOT_LEVEL; at > 0; at--) {
      long address = table + P2mEntry.offset(wanted, at);
      long raw = memory.readWord(address);
      Verdict verdict = verdict(raw, at);
      steps.add(
          new P2mStep(
              at,
              new Word(table),
              new Word(address),
              new Word(raw),
              P2mEntry.LAYOUT.decode(raw),
              verdict));
      if (verdict != Verdict.NEXT) {
        return steps;
      }
      table = P2mEntry.target(raw);
    }
    return steps;
  }

  private static Verdict verdict(long raw, int level) {
    if (!P2mEntry.isValid(raw)) {
      return Verdict.EMPTY;
    }
    return P2mEntry.isLeaf(raw, level) ? Verdict.LEAF : Verdict.NEXT;
  }

  Optional<P2mRun> nextRun(long from) {
    if (from >>> P2mTable.GFN_BITS != 0 || !seek(from)) {
      return Optional.empty();
    }
    long start = gfn;
    int leafLevel = level;
    long first = entry;
    long frames = PageSize.ofLevel(leafLevel).frames();
    long step = P2mEntry.hasFrame(first) ? P2mEntry.MFN.of(frames) : 0;
    long count = 1;
    while (continues(start + count * frames, leafLevel, first + count * step)) {
      count++;
    }
    return Optional.of(
        new P2mRun(
            new Gfn(start),
            P2mEntry.hasFrame(first) ? new Mfn(P2mEntry.mfn(first)) : Mfn.INVALID,
            PageSize.ofLevel(leafLevel).order(),
            P2mEntry.type(first),
            P2mEntry.access(first),
            count));
  }

  /** Frames of the table at the address and of all below it, each before those below. */
  void collectTables(long table, int at, List<Mfn> found) {
    found.add(Mfn.containing(table));
    for (int slot = 0; at > 1 && slot < TableTree.ENTRIES; slot++) {
      long raw = memory.readWord(table + (long) slot * Long.BYTES);
      if (TableTree.isTable(raw, at)) {
        collectTables(P2mEntry.target(raw), at - 1, found);
      }
    }
  }

  /** Finds the first leaf that ends after the guest frame. */
  boolean seek(long from) {
    return seek(root, TableTree.ROOT_LEVEL, 0, from);
  }

  /** First guest frame of the leaf found. */
  long gfn() {
    return gfn;
  }

  private boolean continues(long at, int leafLevel, long expected) {
    return at >>> P2mTable.GFN_BITS == 0
        && seek(at)
        && gfn == at
        && level == leafLevel
        && entry == expected;
  }

  /**
   * Finds the first leaf that ends after {@code from} below a table that begins at {@code base}.
   */
  private boolean seek(long table, int at, long base, long from) {
    long size = 1L << (PageSize.SIZE_2M.order() * (at - 1));
    int slot = from > base ? (int) ((from - base) / size) : 0;
    for (; slot < TableTree.ENTRIES; slot++) {
      long raw = memory.readWord(table + (long) slot * Long.BYTES);
      long start = base + slot * size;
      if (!P2mEntry.isValid(raw)) {
        continue;
      }
      if (P2mEntry.isLeaf(raw, at)) {
        gfn = start;
        level = at;
        entry = raw;
        return true;
      }
      if (seek(P2mEntry.target(raw), at - 1, start, from)) {
        return true;
      }
    }
    return false;
  }
}
