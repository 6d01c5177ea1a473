package io.hypercalld.core.p2m;

import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.p2m.TableTree.Branch;
import io.hypercalld.core.p2m.TableTree.Junction;

/**
 * Bulk changes of types that cost the same whatever the size of the domain: entries high up are
 * marked, and what is below them is brought up to date when it is first touched. Confined to the
 * machine thread.
 *
 * @see "xen/arch/x86/mm/p2m-ept.c, resolve_misconfig, ept_change_entry_type_range,
 *     ept_invalidate_emt_subtree"
 */
/*
 * A mark is a memory type that does not exist: the hardware stops there, and whoever handles the
 * stop moves the mark one level down, to all entries of the table, until it arrives at leaves. What
 * a leaf becomes is not in the mark but computed from BulkTypes when it is resolved, so marks of
 * several changes never have to be told apart. Each store leaves a table whose look-ups, which know
 * of marks above, say the same as before: children are marked before their parent is cleared.
 *
 * Entries that permit nothing cannot be marked, as the hardware would not stop there. Those of
 * changeable types (a page whose access was taken away) are brought up to date when the mark above
 * them moves down; Xen forgets them.
 */
final class TypeRecalculation {
  private final TableTree tree;
  private final EntryFormat format;
  private final BulkTypes types;
  private final Announcements announcements;
  private final P2mGeometry geometry;

  /** Machine address of the lowest table that was brought up to date last. */
  private long lastSettled = -1;

  TypeRecalculation(
      TableTree tree, EntryFormat format, BulkTypes types, Announcements announcements) {
    this.tree = tree;
    this.format = format;
    this.types = types;
    this.announcements = announcements;
    this.geometry = tree.geometry();
  }

  /**
   * Marks the root's entries: at most as many stores as it has, whatever is below.
   *
   * @param retype whether types are to be recalculated and not only memory types
   */
  void markAll(boolean retype) {
    markSpan(tree.root(), new LeafSpan(0, geometry.entries(), geometry.levels()), retype);
    tree.counters().flushed();
  }

  /**
   * Marks as few entries as cover a range, splitting larger leaves that reach beyond it.
   *
   * @param last the last guest frame, inclusive
   * @throws Refusal ENOMEM where the pool has too few pages to split; nothing changed
   */
  void markRange(long first, long last) {
    tree.require(RangeEdges.of(tree, first, last + 1).tables());
    long from = first;
    long to = last;
    for (int level = 1; from <= to && level < geometry.levels(); level++) {
      long inside = (1L << geometry.order(level + 1)) - 1;
      if ((from & inside) != 0) {
        long end = Math.min(from | inside, to);
        markPart(from, end, level);
        from = end + 1;
      }
      if (from <= to && (to & inside) != inside) {
        long start = Math.max(from, to & ~inside);
        markPart(start, to, level);
        to = start - 1;
      }
    }
    if (from <= to) {
      markPart(from, to, geometry.levels());
    }
  }

  /** Marks entries of one table of the level, from the first guest frame to the last. */
  private void markPart(long from, long to, int level) {
    Junction junction = tree.descend(from, level);
    long at = junction.at();
    if (junction.level() > level) {
      if (!isAffected(junction.entry())) {
        return;
      }
      at = split(junction, from, level);
    }
    int order = geometry.order(level);
    markSpan(at, new LeafSpan(from, (to >>> order) - (from >>> order) + 1, level), true);
  }

  /** What is marked, or changed in place of being marked; other superpages need not be split. */
  static boolean isAffected(long entry) {
    return P2mEntry.isPresent(entry)
        || (P2mEntry.isValid(entry) && P2mType.CHANGEABLE.contains(P2mEntry.type(entry)));
  }

  /**
   * Does what marks say must be done before the guest frame is used, at most one table's worth of
   * entries at each level.
   *
   * @return whether anything was done
   * @throws Refusal ENOMEM where a leaf has to be split and the pool is empty
   */
  boolean resolve(long gfn) {
    boolean adjusted = false;
    long table = tree.root();
    for (int level = geometry.levels(); tree.marks > 0; level--) {
      long at = tree.slot(table, gfn, level);
      long entry = tree.read(at);
      tree.counters().entryReads++;
      if (!TableTree.isTable(entry, level)) {
        if (!P2mEntry.isMarked(entry)) {
          return adjusted;
        }
        if (level == 1) {
          settleTable(table, gfn);
          return true;
        }
        entry = settleLarge(new Junction(level, at, entry), gfn);
        if (!TableTree.isTable(entry, level)) {
          return true;
        }
        adjusted = true;
      } else if (P2mEntry.isMarked(entry)) {
        moveDown(at, entry, level, gfn);
        adjusted = true;
      }
      table = P2mEntry.target(entry);
    }
    return adjusted;
  }

  /** As {@link #resolve}, for all leaves of the lowest table around the guest frame. */
  void resolveTable(long gfn) {
    lastSettled = -1;
    resolve(gfn);
    Junction leaf = tree.descend(gfn, 1);
    long table = leaf.at() & -(long) geometry.tableBytes();
    if (tree.marks > 0 && leaf.level() == 1 && table != lastSettled) {
      settleTable(table, gfn);
    }
  }

  /** Children first: until the store at the end a walk still finds the mark above them. */
  private void moveDown(long at, long entry, int level, long gfn) {
    long start = gfn & -(1L << geometry.order(level));
    markSpan(
        P2mEntry.target(entry),
        new LeafSpan(start, geometry.entries(), level - 1),
        P2mEntry.RECALC.isSet(entry));
    tree.write(at, P2mEntry.unmarked(entry));
    tree.marks--;
  }

  private void markSpan(long at, LeafSpan span, boolean retype) {
    long[] entries = new long[(int) span.count()];
    tree.read(at, entries, entries.length);
    long marks = P2mEntry.marked(0, retype);
    for (int i = 0; i < entries.length; i++) {
      long entry = entries[i];
      // Most entries hold nothing or are marked: what is left is looked at closely.
      if (entry == P2mEntry.EMPTY || (entry | marks) == entry) {
        continue;
      }
      if (P2mEntry.isPresent(entry)) {
        mark(at + (long) i * Long.BYTES, entry, retype);
      } else if (retype && P2mEntry.isValid(entry)) {
        long gfn = span.gfn() + ((long) i << geometry.order(span.level()));
        settleHidden(new Junction(span.level(), at + (long) i * Long.BYTES, entry), gfn);
      }
    }
  }

  private void mark(long at, long entry, boolean retype) {
    long marked = P2mEntry.marked(entry, retype);
    if (marked != entry) {
      tree.marks += P2mEntry.isMarked(entry) ? 0 : 1;
      tree.write(at, marked);
    }
  }

  /** Brings a leaf up to date that permits nothing. */
  private void settleHidden(Junction leaf, long gfn) {
    P2mType type = P2mEntry.type(leaf.entry());
    if (!P2mType.CHANGEABLE.contains(type)) {
      return;
    }
    long start = gfn & -(1L << geometry.order(leaf.level()));
    Coverage watched = types.logDirty(start, 1L << geometry.order(leaf.level()));
    if (leaf.level() > 1 && watched == Coverage.SOME) {
      long children = split(leaf, start, leaf.level() - 1);
      markSpan(children, new LeafSpan(start, geometry.entries(), leaf.level() - 1), true);
    } else {
      store(leaf, start, types.recalculated(type, start));
    }
  }

  /** Brings all leaves of a lowest table up to date. */
  private void settleTable(long table, long gfn) {
    lastSettled = table;
    long start = gfn & -(1L << geometry.order(2));
    long[] entries = new long[geometry.entries()];
    tree.read(table, entries, entries.length);
    tree.counters().countLeafReads(entries.length);
    for (int i = 0; i < entries.length; i++) {
      if (P2mEntry.isMarked(entries[i]) && P2mEntry.isPresent(entries[i])) {
        long frame = start + ((long) i << geometry.granuleOrder());
        Junction leaf = new Junction(1, table + (long) i * Long.BYTES, entries[i]);
        store(leaf, frame, now(leaf.entry(), frame));
      }
    }
  }

  private P2mType now(long leaf, long gfn) {
    P2mType stored = P2mEntry.type(leaf);
    return P2mEntry.RECALC.isSet(leaf) ? types.recalculated(stored, gfn) : stored;
  }

  /**
   * Brings a leaf above the lowest level up to date, or splits it where its parts differ.
   *
   * @return the entry that is there now
   */
  private long settleLarge(Junction leaf, long gfn) {
    int order = geometry.order(leaf.level());
    long start = gfn & -(1L << order);
    boolean retypes =
        P2mEntry.RECALC.isSet(leaf.entry())
            && P2mType.CHANGEABLE.contains(P2mEntry.type(leaf.entry()));
    boolean differs = retypes && types.logDirty(start, 1L << order) == Coverage.SOME;
    P2mType type = now(leaf.entry(), start);
    if (differs || P2mEntry.isMarked(format.refreshed(leaf.entry(), type, leaf.level(), start))) {
      split(leaf, gfn, leaf.level() - 1);
    } else {
      store(leaf, start, type);
    }
    return tree.read(leaf.at());
  }

  /** Address of the entry for the guest frame at the level, once the leaf above it is split. */
  private long split(Junction leaf, long gfn, int level) {
    Branch branch = tree.grow(leaf, gfn, level, format);
    tree.countGrown(leaf, level);
    tree.write(leaf.at(), branch.entry());
    tree.counters().split(leaf.level() - level);
    return branch.leafAt();
  }

  /** A page taken back from a server is DMA's again: the only change that devices notice. */
  private void store(Junction leaf, long gfn, P2mType type) {
    long before = leaf.entry();
    long fresh = format.refreshed(before, type, leaf.level(), gfn);
    if (fresh == before) {
      return;
    }
    exchange(leaf, before, fresh);
    tree.counters().recalculations += P2mEntry.type(before) == type ? 0 : 1;
    if (LeafWriter.changesDma(leaf.level(), before, fresh)) {
      try {
        announcements.announceAlways(
            new P2mChange(
                new Gfn(gfn),
                new Mfn(P2mEntry.mfn(fresh)),
                1L << geometry.order(leaf.level()),
                LeafWriter.dma(fresh),
                true));
      } catch (Refusal refusal) {
        exchange(leaf, fresh, before);
        throw refusal;
      }
    }
  }

  private void exchange(Junction leaf, long before, long now) {
    tree.write(leaf.at(), now);
    tree.marks += (P2mEntry.isMarked(now) ? 1 : 0) - (P2mEntry.isMarked(before) ? 1 : 0);
    tree.census().add(before, leaf.level(), -1);
    tree.census().add(now, leaf.level(), 1);
  }
}
