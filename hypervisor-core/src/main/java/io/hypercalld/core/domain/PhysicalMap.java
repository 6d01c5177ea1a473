package io.hypercalld.core.domain;

import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.FrameTable;
import io.hypercalld.core.memory.FrameUse;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mLookup;
import io.hypercalld.core.p2m.P2mRun;
import io.hypercalld.core.p2m.P2mTable;
import io.hypercalld.core.p2m.P2mType;
import io.hypercalld.core.transaction.Transaction;
import java.util.Optional;
import java.util.function.Consumer;

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

  PhysicalMap(Domain domain, P2mTable p2m, FrameTable frames) {
    this.domain = domain;
    this.p2m = p2m;
    this.frames = frames;
  }

  /**
   * Maps frames that nothing maps yet, by the largest leaves that fit, as RAM.
   *
   * @throws Refusal EPERM over an entry that may not be replaced, which crashes the domain; as
   *     {@link P2mTable#setRun} otherwise
   */
  public void populate(Gfn gfn, Mfn mfn, long count) {
    displace(gfn, count);
    try {
      p2m.setRun(gfn, mfn, count, P2mType.RAM_RW);
    } catch (Refusal refusal) {
      restoreM2p(gfn, count);
      throw refusal;
    }
    frames.mapped(mfn.value(), count, gfn.value());
  }

  /**
   * Maps frames that nothing maps yet at guest frames that map nothing, by leaves of 4 KiB, as RAM.
   * To be used for more than one only where nobody observes the P2M.
   *
   * @throws Refusal as {@link P2mTable#setPages}; nothing changed
   */
  public void populatePages(Gfn gfn, Mfn mfn, long count) {
    p2m.setPages(gfn, mfn, count, P2mType.RAM_RW);
    frames.mapped(mfn.value(), count, gfn.value());
  }

  /**
   * Unmaps a guest frame and releases the frame behind it.
   *
   * @throws Refusal ENOENT nothing mapped; EPERM a device's page; EINVAL an entry without frame;
   *     ENXIO somebody else's frame; ENOMEM no page to split a larger leaf. Nothing changed
   */
  public void removeAndRelease(Gfn gfn) {
    P2mLookup found = p2m.lookup(gfn);
    requireRemovable(gfn, found);
    unmap(gfn, found);
    release(found.mfn());
  }

  private void requireRemovable(Gfn gfn, P2mLookup found) {
    if (found.type() == P2mType.MMIO_DM) {
      throw Refusal.of(Errno.ENOENT, "%s maps nothing at guest frame %s", domain.id(), gfn);
    }
    if (found.type() == P2mType.MMIO_DIRECT) {
      throw Refusal.of(Errno.EPERM, "guest frame %s of %s is a device's", gfn, domain.id());
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
    P2mLookup found = p2m.lookup(gfn);
    if (!isOwn(found)) {
      throw Refusal.of(Errno.ENOENT, "%s has no page at guest frame %s", domain.id(), gfn);
    }
    unmap(gfn, found);
  }

  /**
   * Moves a page from one guest frame to another, where it takes the place of what is there.
   *
   * @throws Refusal EACCES where the source is no plain RAM; EINVAL where its frame is not the
   *     domain's; EXDEV where the frame says it is elsewhere; as for the target of {@link #put}
   */
  public void move(Gfn from, Gfn to) {
    P2mLookup source = p2m.lookup(from);
    if (!P2mType.SHARABLE.contains(source.type())) {
      throw Refusal.of(
          Errno.EACCES, "guest frame %s of %s is %s", from, domain.id(), source.type());
    }
    if (!isOwn(source)) {
      throw Refusal.of(Errno.EINVAL, "frame %s is not %s's", source.mfn(), domain.id());
    }
    long backTo = frames.m2p(source.mfn().value());
    if (backTo != from.value()) {
      throw Refusal.of(
          Errno.EXDEV, "frame %s belongs to guest frame 0x%x, not %s", source.mfn(), backTo, from);
    }
    put(source.mfn(), to);
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
    P2mLookup replaced = p2m.lookup(to);
    if (replaced.mfn().equals(mfn)) {
      return;
    }
    if (replaced.type() != P2mType.MMIO_DM) {
      requireRemovable(to, replaced);
    }
    long back = frames.m2p(mfn.value());
    Optional<Gfn> from = back < 0 ? Optional.empty() : Optional.of(new Gfn(back));
    requireTables(to, from);
    Transaction.run(
        steps -> {
          from.ifPresent(gfn -> p2m.set(gfn, Mfn.INVALID, PageSize.SIZE_4K, P2mType.INVALID));
          steps.onFailure(() -> from.ifPresent(gfn -> map(mfn, gfn)));
          map(mfn, to);
          return to;
        });
    if (replaced.mfn().isValid()) {
      frames.clearM2p(replaced.mfn().value(), 0);
      release(replaced.mfn());
    }
    frames.setM2p(mfn.value(), 0, to.value());
  }

  private void map(Mfn mfn, Gfn gfn) {
    if (frames.use(mfn.value()) == FrameUse.SPECIAL) {
      p2m.setSpecial(gfn, mfn);
    } else {
      p2m.set(gfn, mfn, PageSize.SIZE_4K, P2mType.RAM_RW);
    }
  }

  // Before the first of two changes, so that the second does not run out of pages. Tables that both
  // would make are counted once.
  private void requireTables(Gfn to, Optional<Gfn> from) {
    if (to.value() >>> P2mTable.GFN_BITS != 0) {
      throw Refusal.of(Errno.EINVAL, "guest frame %s is beyond 2^%d", to, P2mTable.GFN_BITS);
    }
    int missing = p2m.tablesMissing(to);
    if (from.isPresent()) {
      int others = p2m.tablesMissing(from.get());
      long differ = to.value() ^ from.get().value();
      for (int level = 1; level <= others; level++) {
        boolean shared = level <= missing && differ >>> (PageSize.SIZE_2M.order() * level) == 0;
        missing += shared ? 0 : 1;
      }
    }
    domain.pagingPool().orElseThrow().require(missing);
  }

  private void unmap(Gfn gfn, P2mLookup found) {
    p2m.set(gfn, Mfn.INVALID, PageSize.SIZE_4K, P2mType.INVALID);
    frames.clearM2p(found.mfn().value(), 0);
  }

  private void release(Mfn mfn) {
    if (frames.use(mfn.value()) == FrameUse.GUEST_RAM) {
      domain.reservation().release(mfn.value());
    }
  }

  private boolean isOwn(P2mLookup found) {
    return P2mType.RAM.contains(found.type())
        && frames.contains(found.mfn().value())
        && frames.owner(found.mfn().value()) == domain.id().value();
  }

  /** Makes orphans of the frames mapped in a range that is about to be mapped over. */
  private void displace(Gfn gfn, long count) {
    if (p2m.isUnmapped(gfn, count)) {
      return;
    }
    forEachRun(gfn, count, this::requireReplaceable);
    forEachRun(gfn, count, run -> noteMapped(run, false));
  }

  private void requireReplaceable(P2mRun run) {
    if (P2mType.SPECIAL.contains(run.type())) {
      domain.crash("populated over %s at guest frame %s".formatted(run.type(), run.gfn()));
      throw Refusal.of(
          Errno.EPERM, "guest frame %s of %s is %s", run.gfn(), domain.id(), run.type());
    }
  }

  private void restoreM2p(Gfn gfn, long count) {
    forEachRun(gfn, count, run -> noteMapped(run, true));
  }

  private void noteMapped(P2mRun run, boolean mapped) {
    if (P2mType.RAM.contains(run.type()) && frames.contains(run.mfn().value())) {
      frames.mapped(
          run.mfn().value(),
          run.count() << run.order(),
          mapped ? run.gfn().value() : FrameTable.INVALID_M2P);
    }
  }

  /** Runs of the P2M in a range, cut to it. */
  private void forEachRun(Gfn first, long count, Consumer<P2mRun> action) {
    long end = first.value() + count;
    Optional<P2mRun> next = p2m.nextRun(first);
    while (next.isPresent() && next.get().gfn().value() < end) {
      P2mRun run = next.get();
      long runEnd = run.gfn().value() + (run.count() << run.order());
      long from = Math.max(run.gfn().value(), first.value());
      long to = Math.min(runEnd, end);
      Mfn mfn = run.mfn().isValid() ? run.mfn().plus(from - run.gfn().value()) : run.mfn();
      action.accept(new P2mRun(new Gfn(from), mfn, 0, run.type(), run.access(), to - from));
      next = p2m.nextRun(new Gfn(runEnd));
    }
  }
}
