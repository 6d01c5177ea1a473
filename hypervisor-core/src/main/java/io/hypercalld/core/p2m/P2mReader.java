package io.hypercalld.core.p2m;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.WordProgression;
import io.hypercalld.core.p2m.P2mStep.Verdict;
import io.hypercalld.core.p2m.TableTree.Junction;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Reads a P2M without changing it: walks step by step, and what is mapped in order. Confined to the
 * machine thread.
 *
 * <p>Types are reported as they are once marks are resolved.
 */
final class P2mReader {
  private final TableTree tree;
  private final BulkTypes types;
  private final P2mGeometry geometry;
  private final long[] leaves;

  P2mReader(TableTree tree, BulkTypes types) {
    this.tree = tree;
    this.types = types;
    this.geometry = tree.geometry();
    this.leaves = new long[geometry.entries()];
  }

  /** Somebody who is shown leaves in order. */
  private interface LeafVisitor {
    /** Whether it wants to see the next one. */
    boolean leaf(long gfn, int level, long entry);
  }

  /** A look-up that minds marks and any geometry. */
  P2mLookup lookup(long gfn) {
    long table = tree.root();
    boolean recalculate = false;
    int level = geometry.levels();
    while (true) {
      long entry = tree.read(tree.slot(table, gfn, level));
      tree.counters().entryReads++;
      recalculate |= P2mEntry.RECALC.isSet(entry);
      if (!TableTree.isTable(entry, level)) {
        int order = geometry.order(level);
        long seen = recalculate ? recalculated(entry, gfn) : entry;
        return new P2mLookup(seen, gfn & ((1L << order) - 1), order);
      }
      table = P2mEntry.target(entry);
      level--;
    }
  }

  private long recalculated(long entry, long gfn) {
    if (!P2mEntry.isValid(entry)) {
      return entry;
    }
    P2mType stored = P2mEntry.type(entry);
    P2mType now = types.recalculated(stored, gfn);
    return now == stored ? entry : P2mEntry.retyped(entry, now);
  }

  List<P2mStep> explain(long wanted) {
    List<P2mStep> steps = new ArrayList<>();
    if (wanted >>> geometry.gfnBits() != 0) {
      return steps;
    }
    long table = tree.root();
    for (int level = geometry.levels(); level > 0; level--) {
      long address = tree.slot(table, wanted, level);
      long raw = tree.read(address);
      Verdict verdict = verdict(raw, level);
      steps.add(
          new P2mStep(
              level,
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

  /** The entry that decides about a guest frame, whatever marks are above it. */
  long stored(long gfn) {
    long table = tree.root();
    for (int level = geometry.levels(); ; level--) {
      long raw = tree.read(tree.slot(table, gfn, level));
      if (verdict(raw, level) != Verdict.NEXT) {
        return raw;
      }
      table = P2mEntry.target(raw);
    }
  }

  /** As {@link P2mTable#leavesAlike}. */
  long leavesAlike(long gfn, long most) {
    if (tree.marks > 0 || geometry != P2mGeometry.GRANULE_4K) {
      return 0;
    }
    int wanted = (int) Math.min(most, geometry.entries() - (gfn & (geometry.entries() - 1)));
    Junction first = tree.descend(gfn, 1);
    if (!P2mEntry.isValid(first.entry()) || first.level() > 1) {
      return P2mEntry.isValid(first.entry()) ? wanted : 0;
    }
    tree.read(first.at(), leaves, wanted);
    tree.counters().entryReads += wanted;
    return new WordProgression(first.entry(), P2mEntry.MFN.of(1)).length(leaves, wanted);
  }

  /** Whether nothing is mapped from a guest frame to another, exclusive. */
  boolean isUnmapped(long from, long end) {
    if (tree.isKnownVacant(from, end)) {
      return true;
    }
    boolean unmapped = visit(root(), new Range(from, end), (_, _, _) -> false);
    if (unmapped) {
      tree.sawNothing(from, end);
    }
    return unmapped;
  }

  Optional<P2mRun> nextRun(long from) {
    if (from >>> geometry.gfnBits() != 0) {
      return Optional.empty();
    }
    RunBuilder run = new RunBuilder();
    visit(from, run);
    return run.found();
  }

  private void visit(long from, LeafVisitor visitor) {
    visit(root(), new Range(from, Long.MAX_VALUE), visitor);
  }

  private Place root() {
    return new Place(tree.root(), geometry.levels(), 0, false);
  }

  /** A table, where it begins, and whether a mark is above it. */
  private record Place(long table, int level, long base, boolean recalculate) {}

  /** Guest frames to look at, the last exclusive. */
  private record Range(long from, long end) {}

  /**
   * Shows the leaves of a range, from the one around its first frame on; whether more is wanted.
   */
  private boolean visit(Place place, Range range, LeafVisitor visitor) {
    int order = geometry.order(place.level);
    int slot = range.from > place.base ? (int) ((range.from - place.base) >>> order) : 0;
    int end = (int) Math.min(geometry.entries(), ((range.end - place.base - 1) >>> order) + 1);
    if (place.level == 1 && holdsNothing(place.table, slot, end)) {
      return true;
    }
    for (; slot < end; slot++) {
      long raw = tree.read(place.table + (long) slot * Long.BYTES);
      if (raw == P2mEntry.EMPTY || !P2mEntry.isValid(raw)) {
        continue;
      }
      long gfn = place.base + ((long) slot << order);
      boolean recalculate = place.recalculate || P2mEntry.RECALC.isSet(raw);
      boolean more =
          P2mEntry.isLeaf(raw, place.level)
              ? visitor.leaf(gfn, place.level, recalculate ? recalculated(raw, gfn) : raw)
              : visit(
                  new Place(P2mEntry.target(raw), place.level - 1, gfn, recalculate),
                  range,
                  visitor);
      if (!more) {
        return false;
      }
    }
    return true;
  }

  private boolean holdsNothing(long table, int from, int end) {
    return tree.holdsNothing(table + (long) from * Long.BYTES, end - from);
  }

  /** Frames of all tables, each before those below. */
  List<Mfn> tables() {
    List<Mfn> found = new ArrayList<>();
    collectTables(tree.root(), geometry.levels(), found);
    return found;
  }

  private void collectTables(long table, int level, List<Mfn> found) {
    found.add(Mfn.containing(table));
    for (int slot = 0; level > 1 && slot < geometry.entries(); slot++) {
      long raw = tree.read(table + (long) slot * Long.BYTES);
      if (TableTree.isTable(raw, level)) {
        collectTables(P2mEntry.target(raw), level - 1, found);
      }
    }
  }

  /** Adds leaves to a run as long as they go on alike. */
  private final class RunBuilder implements LeafVisitor {
    private long start;
    private long first;
    private int level;
    private long count;

    @Override
    public boolean leaf(long gfn, int at, long entry) {
      if (count == 0) {
        start = gfn;
        first = entry;
        level = at;
      } else if (!continues(gfn, at, entry)) {
        return false;
      }
      count++;
      return true;
    }

    private boolean continues(long gfn, int at, long entry) {
      long frames = count << geometry.order(level);
      long mfn = P2mEntry.hasFrame(first) ? P2mEntry.mfn(first) + frames : P2mEntry.mfn(first);
      return at == level
          && gfn == start + frames
          && P2mEntry.mfn(entry) == mfn
          && P2mEntry.type(entry) == P2mEntry.type(first)
          && P2mEntry.access(entry) == P2mEntry.access(first);
    }

    Optional<P2mRun> found() {
      if (count == 0) {
        return Optional.empty();
      }
      return Optional.of(
          new P2mRun(
              new Gfn(start),
              P2mEntry.hasFrame(first) ? new Mfn(P2mEntry.mfn(first)) : Mfn.INVALID,
              geometry.order(level),
              P2mEntry.type(first),
              P2mEntry.access(first),
              count));
    }
  }
}
