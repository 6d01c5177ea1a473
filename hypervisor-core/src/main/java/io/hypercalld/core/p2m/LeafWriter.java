package io.hypercalld.core.p2m;

import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.WordProgression;
import io.hypercalld.core.p2m.TableTree.Branch;
import io.hypercalld.core.p2m.TableTree.Junction;

/**
 * Writes leaves into a tree of tables and tells those who follow it. Confined to the machine
 * thread.
 */
/*
 * How leaves are written. Walk down to the entry that decides: the one at the leaves' level, or above
 * it the first that is no table (the junction). The tables still missing are made complete first,
 * with copies of the junction's leaf where there was one, and hooked up by a single store, so a
 * walker never sees a half-made table and taking it back is a single store too. Everything that can
 * fail comes before that store, except observers: they are told after it, once for each run that
 * changes alike. Where one refuses, the old entries of that run and of those after it go back; runs
 * before it stay, as their leaves would have if written one by one. Tables that larger leaves
 * replaced are freed last.
 */
final class LeafWriter {
  private final TableTree tree;
  private final EntryFormat format;
  private final Announcements announcements;

  /** What the leaves written last replaced. */
  private final ReplacedEntries before;

  /** Leaves of the last write that observers agreed to. */
  private int kept;

  /** Whether what the last write replaced was known to map nothing. */
  private boolean vacant;

  LeafWriter(TableTree tree, EntryFormat format, Announcements announcements) {
    this.tree = tree;
    this.format = format;
    this.announcements = announcements;
    this.before = new ReplacedEntries(tree.geometry().entries());
  }

  /**
   * Writes the leaves; where an observer refuses, those before the refused run stay.
   *
   * @throws Refusal ENOMEM where the pool has too few pages, nothing changed; what an observer
   *     answers
   */
  void write(LeafSpan span, WordProgression leaves) {
    kept = 0;
    vacant = tree.isKnownVacant(span.gfn(), span.gfn() + frames(span));
    Junction junction = tree.descend(span.gfn(), span.level());
    if (junction.level() == span.level()) {
      replace(junction.at(), span, leaves);
      announce(junction.at(), span, leaves);
      freeReplacedTables(span, (int) span.count());
    } else if (P2mEntry.isValid(junction.entry()) || leaves.first() != P2mEntry.EMPTY) {
      hookUp(junction, span, leaves);
    }
    watcher().updated(new Gfn(span.gfn()), frames(span), P2mEntry.type(leaves.first()));
  }

  private long frames(LeafSpan span) {
    return span.count() << tree.geometry().order(span.level());
  }

  private P2mWatcher watcher() {
    return announcements.watcher();
  }

  /** How many leaves of a write that was refused stay. */
  int kept() {
    return kept;
  }

  private void replace(long at, LeafSpan span, WordProgression leaves) {
    int count = (int) span.count();
    before.read(tree, at, count);
    tree.fill(at, count, leaves);
    if (!before.areEmpty()) {
      before.count(tree.census(), 0, span.level(), -1);
      tree.counters().flushed();
      unmark();
      inheritVe(at);
    }
    count(span, leaves, 1);
  }

  /** An entry that replaces a valid one keeps the bit that nobody but guests' tools clears. */
  private void inheritVe(long at) {
    for (int i = 0; before.haveVe() && i < before.count(); i++) {
      if (P2mEntry.isValid(before.at(i)) && !P2mEntry.SUPPRESS_VE.isSet(before.at(i))) {
        long slot = at + (long) i * Long.BYTES;
        tree.write(slot, P2mEntry.SUPPRESS_VE.clear(tree.read(slot)));
      }
    }
  }

  private void unmark() {
    for (int i = 0; before.mayBeMarked() && i < before.count(); i++) {
      tree.marks -= P2mEntry.isMarked(before.at(i)) ? 1 : 0;
    }
  }

  private void count(LeafSpan span, WordProgression leaves, int sign) {
    tree.census().add(leaves.first(), span.level(), sign * span.count());
    tree.marks += P2mEntry.isMarked(leaves.first()) ? sign * span.count() : 0;
  }

  private void hookUp(Junction junction, LeafSpan span, WordProgression leaves) {
    Branch branch = tree.grow(junction, span.gfn(), span.level(), format);
    tree.countGrown(junction, span.level());
    replace(branch.leafAt(), span, leaves);
    tree.write(junction.at(), branch.entry());
    try {
      announce(branch.leafAt(), span, leaves);
    } catch (Refusal refusal) {
      // What new tables hold is alike, so it was one run, and all of it was put back.
      tree.write(junction.at(), junction.entry());
      tree.discard(branch, junction, span.level());
      throw refusal;
    }
    if (P2mEntry.isValid(junction.entry())) {
      tree.counters().split(junction.level() - span.level());
      watcher().split(new Gfn(span.gfn()), junction.level() - span.level());
    }
  }

  private void announce(long at, LeafSpan span, WordProgression leaves) {
    kept = 0;
    int count = (int) span.count();
    while (!announcements.isUnheard() && kept < count) {
      int end = before.endOfAlike(kept, span.level(), leaves);
      try {
        tell(kept, end, span, leaves);
      } catch (Refusal refusal) {
        putBack(at, span, leaves);
        freeReplacedTables(span, kept);
        throw refusal;
      }
      kept = end;
    }
  }

  private void tell(int from, int end, LeafSpan span, WordProgression leaves) {
    if (!before.changesDma(from, span.level(), leaves)) {
      return;
    }
    long now = leaves.at(from);
    int order = tree.geometry().order(span.level());
    DmaPermission permission = dma(now);
    announcements.announce(
        new P2mChange(
            new Gfn(span.gfn() + ((long) from << order)),
            permission == DmaPermission.NONE ? Mfn.INVALID : new Mfn(P2mEntry.mfn(now)),
            (long) (end - from) << order,
            permission,
            P2mEntry.isValid(before.at(from))));
  }

  private void putBack(long at, LeafSpan span, WordProgression leaves) {
    int count = (int) span.count();
    for (int i = kept; i < count; i++) {
      tree.write(at + (long) i * Long.BYTES, before.at(i));
      tree.marks += P2mEntry.isMarked(before.at(i)) ? 1 : 0;
    }
    count(new LeafSpan(span.gfn(), count - (long) kept, span.level()), leaves, -1);
    before.count(tree.census(), kept, span.level(), 1);
  }

  private void freeReplacedTables(LeafSpan span, int end) {
    for (int i = 0; span.level() > 1 && i < end; i++) {
      if (TableTree.isTable(before.at(i), span.level())) {
        tree.freeBelow(before.at(i), span.level(), vacant);
        long at = span.gfn() + ((long) i << tree.geometry().order(span.level()));
        watcher().merged(new Gfn(at), span.level());
      }
    }
  }

  /**
   * Whether devices that follow the table, or walk it themselves, have to be told. Those that walk
   * it reach whatever is present, whether its type is for devices or not.
   */
  static boolean changesDma(int level, long before, long now) {
    if (TableTree.isTable(before, level)) {
      return true;
    }
    DmaPermission has = dma(now);
    boolean reached = has != DmaPermission.NONE || P2mEntry.isPresent(before);
    return dma(before) != has || (reached && P2mEntry.mfn(before) != P2mEntry.mfn(now));
  }

  static DmaPermission dma(long leaf) {
    return P2mEntry.isValid(leaf) ? P2mEntry.dma(leaf) : DmaPermission.NONE;
  }
}
