package io.hypercalld.core.p2m;

import io.hypercalld.core.errno.Refusal;

/**
 * Types of a P2M's pages as they are changed in bulk, and what decides them: watches for writes,
 * pages made for servers, devices that look on. Confined to the machine thread.
 *
 * @see "xen/arch/x86/mm/p2m.c, p2m_change_entry_type_global and p2m_change_type_range"
 */
public final class P2mTypes {
  private final P2mGeometry geometry;
  private final P2mCounters counters;
  private final EntryFormat format;
  private final BulkTypes types;
  private final IoreqRules ioreq;
  private final TableTree tree;
  private final TypeRecalculation recalculation;
  private final Announcements announcements;

  P2mTypes(
      TableTree tree,
      EntryFormat format,
      BulkTypes types,
      TypeRecalculation recalculation,
      Announcements announcements) {
    this.geometry = tree.geometry();
    this.counters = tree.counters();
    this.format = format;
    this.types = types;
    this.ioreq = types.ioreq();
    this.tree = tree;
    this.recalculation = recalculation;
    this.announcements = announcements;
  }

  /**
   * Changes the type of everything lazily: at most as many stores as the root has entries. Both
   * types are of {@link P2mType#CHANGEABLE}; where they are the same, all is only recalculated.
   */
  public void changeAll(P2mType from, P2mType to) {
    types.changeAll(from, to);
    recalculation.markAll(true);
    counters.updates().done(P2mUpdate.CHANGE_TYPE, 1);
    announcements.watcher().updated(new Gfn(0), tree.highest + 1, to);
  }

  /**
   * Changes the type of a range lazily, cut to what was ever mapped, granules as a whole. A range
   * of one page is changed like any other, which Xen forgets.
   *
   * @param to {@link P2mType#RAM_LOGDIRTY} or {@link P2mType#RAM_RW}
   * @throws Refusal ENOMEM no pages to split the leaves at its edges; nothing changed, and the
   *     caller crashes the domain
   */
  public void changeRange(Gfn first, long frames, P2mType from, P2mType to) {
    long granule = geometry.granuleFrames();
    long start = first.value() & -granule;
    long last = Math.min((first.value() + frames - 1) | (granule - 1), tree.highest);
    if (start < 0 || start > last) {
      return;
    }
    if (start > 0 || last < tree.highest) {
      tree.require(RangeEdges.of(tree, start, last + 1).tables());
    }
    if (from != to) {
      types.changeRange(start, last + 1, to);
    }
    if (start == 0 && last == tree.highest) {
      recalculation.markAll(true);
    } else {
      recalculation.markRange(start, last);
    }
    counters.updates().done(P2mUpdate.CHANGE_TYPE, 1);
    announcements.watcher().updated(new Gfn(start), last + 1 - start, to);
  }

  /**
   * Does what marks say for a range, cut to what was ever mapped.
   *
   * @throws Refusal as {@link P2mTable#resolve}
   */
  public void finishTypeChange(Gfn first, long frames) {
    long end = first.value() + Math.min(frames, tree.highest + 1 - first.value());
    long table = 1L << geometry.order(2);
    for (long gfn = first.value(); tree.marks > 0 && gfn < end; gfn = (gfn & -table) + table) {
      recalculation.resolveTable(gfn);
    }
  }

  /**
   * Says what pages of a type of {@link P2mType#IOREQ} are from here on; the entries of those that
   * there are follow by {@link #changeAll} or {@link P2mTable#changeAccess}.
   */
  public void setIoreq(P2mType type, IoreqRule rule) {
    format.setIoreq(type, rule);
  }

  /** What pages of a type of {@link P2mType#IOREQ} are. */
  public IoreqRule ioreq(P2mType type) {
    return ioreq.of(type);
  }

  /** How many types of {@link P2mType#IOREQ} pages may be made of, from the first. */
  public int ioreqTypes() {
    return ioreq.offered();
  }

  /** Has pages be made of so many types, 1 to 4. */
  public void offerIoreqTypes(int types) {
    ioreq.offer(types);
  }

  /** Whether all of memory is watched for writes; pages written since are not any more. */
  public boolean isGloballyLogDirty() {
    return types.isGloballyLogDirty();
  }

  /** How much of a range is watched for writes, be it because everything is. */
  public Coverage logDirty(Gfn first, long frames) {
    return types.logDirty(first.value(), frames);
  }

  /** Notes whether it has devices' memory or ports: its guest then chooses how to cache. */
  public void setIoCapabilities(boolean granted) {
    if (granted != format.hasIoCapabilities()) {
      format.setIoCapabilities(granted);
      recalculation.markAll(false);
    }
  }

  /**
   * Pins how guest frames are cached, or changes it; entries follow when they are touched. It has
   * no say where no device looks on, as all is write-back there.
   *
   * @param last inclusive
   * @throws Refusal EBUSY another range has some of them; ENOSPC there are 64 ranges
   */
  public void pinCache(Gfn first, Gfn last, CacheType type) {
    format.pins().pin(first.value(), last.value(), type);
    recalculation.markAll(false);
  }

  /**
   * Lets the guest choose again.
   *
   * @param last inclusive
   * @throws Refusal ENOENT no range is pinned from and to there
   */
  public void unpinCache(Gfn first, Gfn last) {
    format.pins().unpin(first.value(), last.value());
    recalculation.markAll(false);
  }
}
