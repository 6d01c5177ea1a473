package io.hypercalld.core.domain;

import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.FrameRun;
import io.hypercalld.core.memory.FrameTable;
import io.hypercalld.core.memory.FrameUse;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mLookup;
import io.hypercalld.core.p2m.P2mTable;
import io.hypercalld.core.p2m.P2mType;
import io.hypercalld.core.p2m.SyncHook;
import java.util.Optional;

/**
 * Changes a domain's P2M and keeps the way back, from frame to guest frame, in step. Confined to
 * the machine thread.
 *
 * <p>A frame that is mapped over or unmapped without being released stays charged to the domain: an
 * orphan.
 *
 * @see "xen/arch/x86/mm/p2m.c, p2m_add_page, p2m_remove_page; xen/common/memory.c,
 *     guest_remove_page"
 */
public final class PhysicalMap {
  private final Domain domain;
  private final P2mTable p2m;
  private final FrameTable frames;
  private final Placement placement;
  private final Displacement displacement;
  private final ForeignMap foreign;

  PhysicalMap(Domain domain, P2mTable p2m, FrameTable frames, DomainTable domains) {
    this.domain = domain;
    this.p2m = p2m;
    this.frames = frames;
    this.placement = new Placement(domain, this, frames);
    this.displacement = new Displacement(domain, this, frames);
    this.foreign = new ForeignMap(domain, this, frames, domains);
  }

  /** What gives way to a mapping. */
  Displacement displacement() {
    return displacement;
  }

  /** Other domains' pages in it. */
  public ForeignMap foreign() {
    return foreign;
  }

  /** What is mapped at the guest frame, with nothing changed. */
  public P2mLookup query(Gfn gfn) {
    return p2m.lookup(gfn);
  }

  /** What is mapped at the guest frame once what is to be populated on demand has been. */
  public P2mLookup obtain(Gfn gfn) {
    P2mLookup found = query(gfn);
    while (found.type() == P2mType.POPULATE_ON_DEMAND
        && domain.features().populateOnDemand().populate(gfn, found.order())) {
      found = query(gfn);
    }
    return found;
  }

  /** As {@link #obtain}, and a page shared with other domains is made the domain's own. */
  public P2mLookup obtainUnshared(Gfn gfn) {
    P2mLookup found = obtain(gfn);
    if (found.type() != P2mType.RAM_SHARED) {
      return found;
    }
    try {
      domain.features().sharing().unshare(gfn);
    } catch (Refusal _) {
      // Whoever asked sees that it is still shared, and answers in its own way.
      domain.features().sharing().starve(gfn, Optional.empty());
    }
    return query(gfn);
  }

  /**
   * Maps frames that nothing maps yet, by the largest leaves that fit, as RAM.
   *
   * @throws Refusal EPERM over an entry that may not be replaced, which crashes the domain; as
   *     {@link P2mTable#setRun} otherwise
   */
  public void populate(Gfn gfn, Mfn mfn, long count) {
    displacement.replacing(
        gfn, count, SyncHook.PHYSMAP_ADD, () -> p2m.setRun(gfn, mfn, count, P2mType.RAM_RW));
    added(gfn, mfn, count);
  }

  /**
   * Allocates consecutive frames and maps each at the guest frame of its number.
   *
   * @return the first
   * @throws Refusal as {@link Reservation#allocate} and {@link #populate}; nothing changed
   */
  public Mfn populateIdentity(long count) {
    Mfn first = new Mfn(domain.reservation().allocateConsecutive(count));
    try {
      populate(new Gfn(first.value()), first, count);
    } catch (Refusal refusal) {
      domain.reservation().free(new FrameRun(first.value(), count));
      throw refusal;
    }
    return first;
  }

  /**
   * Maps frames, which are noted as mapped there already, at guest frames that map nothing, by as
   * many leaves as {@link P2mTable#leavesAtOnce} allows, as RAM. Where somebody observes the P2M,
   * they follow one that is mapped.
   *
   * @throws Refusal as {@link P2mTable#setLeaves}; the frames are noted as mapped nowhere
   */
  public void populateLeaves(Gfn gfn, FrameRun run, PageSize size) {
    try {
      p2m.during(SyncHook.PHYSMAP_ADD, () -> p2m.setLeaves(gfn, run, size, P2mType.RAM_RW));
    } catch (Refusal refusal) {
      frames.mapped(run.mfn(), run.count(), FrameTable.INVALID_M2P);
      throw refusal;
    }
    markDirty(gfn, run.count());
  }

  void added(Gfn gfn, Mfn mfn, long count) {
    frames.mapped(mfn.value(), count, gfn.value());
    markDirty(gfn, count);
  }

  private void markDirty(Gfn gfn, long count) {
    if (domain.logDirty().isEnabled()) {
      for (long page = 0; page < count; page++) {
        domain.logDirty().markDirty(new Gfn(gfn.value() + page));
      }
    }
  }

  /**
   * Unmaps a guest frame and releases the frame behind it; those of a whole granule where the P2M
   * has larger ones.
   *
   * @param hook why
   * @throws Refusal ENOENT nothing mapped; EPERM a device's page; EILSEQ a page that is not in
   *     memory; EINVAL another entry without frame; ENXIO somebody else's frame; ENOMEM no page to
   *     split a larger leaf, or shared and not to be unshared. Nothing changed
   */
  public void removeAndRelease(Gfn gfn, SyncHook hook) {
    P2mLookup found = removable(gfn, query(gfn));
    p2m.during(hook, () -> unmap(gfn, found, granule()));
    release(found.mfn());
  }

  /**
   * Unmaps and releases as many pages from a guest frame on as can be done at once to the same
   * effect as one by one: plain RAM of the domain's that one table of the P2M maps, frame after
   * frame, and to which nothing else refers.
   *
   * @param most at least 1
   * @return how many frames; 0 where nothing is done and they are to be done one by one
   */
  public long removeAndReleaseRun(Gfn gfn, long most, SyncHook hook) {
    P2mLookup found = query(gfn);
    if (found.type() != P2mType.RAM_RW || !isOwn(found)) {
      return 0;
    }
    long mapped = p2m.leavesAlike(gfn, most);
    long count = domain.reservation().releasable(found.mfn().value(), mapped);
    if (count == 0) {
      return 0;
    }
    try {
      p2m.during(hook, () -> unmap(gfn, found, count));
    } catch (Refusal _) {
      // One by one, as many are removed as can be.
      return 0;
    }
    domain.reservation().free(new FrameRun(found.mfn().value(), count));
    return count;
  }

  /** What is found, made the domain's own where it is shared, if it may be removed. */
  P2mLookup removable(Gfn gfn, P2mLookup mapped) {
    P2mLookup found = mapped.type() == P2mType.RAM_SHARED ? obtainUnshared(gfn) : mapped;
    requireRemovable(gfn, found);
    return found;
  }

  private void requireRemovable(Gfn gfn, P2mLookup found) {
    if (found.type() == P2mType.MMIO_DM) {
      throw Refusal.of(Errno.ENOENT, "%s maps nothing at guest frame %s", domain.id(), gfn);
    }
    if (found.type() == P2mType.MMIO_DIRECT) {
      throw Refusal.of(Errno.EPERM, "guest frame %s of %s is a device's", gfn, domain.id());
    }
    if (P2mType.PAGING.contains(found.type()) && found.type() != P2mType.RAM_PAGING_OUT) {
      // Xen's check of the mapping to be removed finds RAM without a frame.
      throw Refusal.of(Errno.EILSEQ, "guest frame %s of %s is %s", gfn, domain.id(), found.type());
    }
    if (found.type() == P2mType.RAM_SHARED) {
      throw Refusal.of(Errno.ENOMEM, "guest frame %s of %s stays shared", gfn, domain.id());
    }
    if (!found.mfn().isValid()) {
      throw Refusal.of(
          Errno.EINVAL,
          "guest frame %s of %s is %s without a frame",
          gfn,
          domain.id(),
          found.type());
    }
    if (!isOwn(found)) {
      throw Refusal.of(
          Errno.ENXIO, "frame %s at guest frame %s is not %s's", found.mfn(), gfn, domain.id());
    }
  }

  /**
   * Unmaps a guest frame; its frame stays the domain's.
   *
   * @throws Refusal ENOENT where there is no page; ENOMEM no page to split a larger leaf. Nothing
   *     changed
   */
  public void remove(Gfn gfn) {
    P2mLookup found = obtain(gfn);
    if (found.type() == P2mType.MAP_FOREIGN) {
      foreign.unmap(gfn);
    } else if (found.type() == P2mType.RAM_SHARED) {
      domain.features().sharing().drop(gfn);
    } else if (isOwn(found)) {
      p2m.during(SyncHook.ZAP, () -> unmap(gfn, found, granule()));
    } else {
      throw Refusal.of(Errno.ENOENT, "%s has no page at guest frame %s", domain.id(), gfn);
    }
  }

  /**
   * The frame of a page that others may refer to: the domain's own memory, what it shares, or what
   * it has mapped of another domain's.
   */
  public Optional<Mfn> page(P2mLookup found) {
    boolean others = found.type() == P2mType.MAP_FOREIGN || found.type() == P2mType.RAM_SHARED;
    return others || isOwn(found) ? Optional.of(found.mfn()) : Optional.empty();
  }

  /**
   * Maps a frame that somebody grants; the frame does not learn of it. What is mapped there is made
   * an orphan.
   *
   * @throws Refusal EPERM over an entry that may not be replaced, which crashes the domain; as
   *     {@link P2mTable#set}
   */
  void mapGrant(Gfn gfn, Mfn mfn, P2mType type) {
    displacement.replacing(
        gfn, 1, SyncHook.GRANT_MAP, () -> p2m.set(gfn, mfn, PageSize.SIZE_4K, type));
  }

  /** Unmaps a frame that was granted. */
  void unmapGrant(Gfn gfn) {
    p2m.during(SyncHook.GRANT_MAP, () -> clear(gfn));
  }

  /**
   * Moves a page from one guest frame to another, where it takes the place of what is there.
   *
   * @throws Refusal EACCES where the source is no plain RAM; ENOMEM where it is shared and cannot
   *     be unshared; EINVAL where its frame is not the domain's; EXDEV where the frame says it is
   *     elsewhere; as for the target of {@link #put}
   */
  public void move(Gfn from, Gfn to) {
    placement.move(from, to);
  }

  /**
   * Maps a frame of the domain's at a guest frame: it leaves the one where it was, and what was
   * mapped there is released, or only unmapped where it is shared with the hypervisor.
   *
   * @throws Refusal EPERM a device's page is there; EINVAL an entry without frame, or a guest frame
   *     out of reach; ENXIO somebody else's frame is there; ENOMEM no pages for tables. Nothing
   *     changed
   */
  public void put(Mfn mfn, Gfn to) {
    placement.put(mfn, to);
  }

  /**
   * Refuses what {@link #put} would of a page that is mapped nowhere yet.
   *
   * @throws Refusal as there
   */
  public void requireTarget(Gfn to) {
    placement.requireTarget(to);
  }

  /**
   * Holds the page at a guest frame for the hypervisor's use.
   *
   * @throws Refusal ENOENT it is paged out or shared; EPERM a device's; EINVAL there is no page of
   *     the domain's, or none to be written
   */
  public RingPage holdRing(Gfn gfn) {
    return RingPage.take(domain, frames, gfn);
  }

  void markClean(Gfn gfn) {
    markClean(gfn, granule());
  }

  private void markClean(Gfn gfn, long count) {
    if (domain.logDirty().isEnabled()) {
      for (long page = 0; page < count; page++) {
        domain.logDirty().markClean(new Gfn(gfn.value() + page));
      }
    }
  }

  private void unmap(Gfn gfn, P2mLookup found, long count) {
    p2m.setPages(gfn, Mfn.INVALID, count, P2mType.INVALID);
    frames.mapped(found.mfn().value(), count, FrameTable.INVALID_M2P);
    markClean(gfn, count);
    domain.facets().mappingsLost();
  }

  /** Unmaps what the smallest leaf maps. */
  void clear(Gfn gfn) {
    p2m.setPages(gfn, Mfn.INVALID, granule(), P2mType.INVALID);
  }

  void release(Mfn mfn) {
    if (frames.use(mfn.value()) == FrameUse.GUEST_RAM) {
      for (long frame = 0; frame < granule(); frame++) {
        domain.reservation().release(mfn.value() + frame);
      }
    }
  }

  /** Frames that are mapped and unmapped together. */
  public long granule() {
    return p2m.geometry().granuleFrames();
  }

  boolean isOwn(P2mLookup found) {
    return P2mType.RAM.contains(found.type())
        && frames.contains(found.mfn().value())
        && frames.owner(found.mfn().value()) == domain.id().value();
  }
}
