package io.hypercalld.core.domain;

import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.FrameTable;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mLookup;
import io.hypercalld.core.p2m.P2mTable;
import io.hypercalld.core.p2m.P2mType;
import io.hypercalld.core.p2m.SyncHook;
import io.hypercalld.core.transaction.Transaction;
import java.util.Optional;

/**
 * Puts a page that the domain has at a guest frame, all of it or nothing. Confined to the machine
 * thread.
 *
 * @see "xen/arch/x86/mm/p2m.c, xenmem_add_to_physmap_one"
 */
final class Placement {
  private final Domain domain;
  private final PhysicalMap map;
  private final FrameTable frames;

  Placement(Domain domain, PhysicalMap map, FrameTable frames) {
    this.domain = domain;
    this.map = map;
    this.frames = frames;
  }

  private P2mTable p2m() {
    return domain.p2m();
  }

  /** As {@link PhysicalMap#move}. */
  void move(Gfn from, Gfn to) {
    P2mLookup source = map.obtainUnshared(from);
    if (source.type() == P2mType.RAM_SHARED) {
      throw Refusal.of(Errno.ENOMEM, "guest frame %s of %s stays shared", from, domain.id());
    }
    if (!P2mType.SHARABLE.contains(source.type())) {
      throw Refusal.of(
          Errno.EACCES, "guest frame %s of %s is %s", from, domain.id(), source.type());
    }
    if (!map.isOwn(source)) {
      throw Refusal.of(Errno.EINVAL, "frame %s is not %s's", source.mfn(), domain.id());
    }
    long backTo = frames.m2p(source.mfn().value());
    if (backTo != from.value()) {
      throw Refusal.of(
          Errno.EXDEV, "frame %s belongs to guest frame 0x%x, not %s", source.mfn(), backTo, from);
    }
    put(source.mfn(), to);
  }

  /** As {@link PhysicalMap#put}. */
  void put(Mfn mfn, Gfn to) {
    P2mLookup there = map.obtain(to);
    if (there.mfn().equals(mfn)) {
      refresh(to, there);
      return;
    }
    P2mLookup replaced = giveWay(to, there);
    long back = frames.m2p(mfn.value());
    Optional<Gfn> from = back < 0 ? Optional.empty() : Optional.of(new Gfn(back));
    requireTables(to, from);
    Transaction.run(
        steps -> {
          from.ifPresent(gfn -> p2m().during(SyncHook.ZAP, () -> map.clear(gfn)));
          steps.onFailure(() -> from.ifPresent(gfn -> map(mfn, gfn)));
          map(mfn, to);
          return to;
        });
    if (replaced.mfn().isValid()) {
      frames.mapped(replaced.mfn().value(), map.granule(), FrameTable.INVALID_M2P);
      map.release(replaced.mfn());
    } else if (P2mType.PAGING.contains(replaced.type())) {
      domain.features().paging().overwritten(1);
    }
    from.ifPresent(map::markClean);
    map.added(to, mfn, map.granule());
  }

  void requireTarget(Gfn to) {
    giveWay(to, map.obtain(to));
    requireTables(to, Optional.empty());
  }

  /** What would be replaced: nothing, if it has no frame, or a page that may be removed. */
  private P2mLookup giveWay(Gfn to, P2mLookup there) {
    boolean gone = there.type() != P2mType.MMIO_DIRECT && !there.mfn().isValid();
    return gone ? there : map.removable(to, there);
  }

  /** A page that is put where it is becomes plain RAM. */
  private void refresh(Gfn gfn, P2mLookup found) {
    if (found.type() != P2mType.RAM_RW) {
      map(found.mfn(), gfn);
      domain.logDirty().markDirty(gfn);
    }
  }

  private void map(Mfn mfn, Gfn gfn) {
    p2m()
        .during(
            SyncHook.PHYSMAP_ADD,
            () -> {
              if (frames.isSpecial(mfn.value())) {
                p2m().setSpecial(gfn, mfn);
              } else {
                p2m().setPages(gfn, mfn, map.granule(), P2mType.RAM_RW);
              }
            });
  }

  // Before the first of two changes, so that the second does not run out of pages. Tables that both
  // would make are counted once.
  private void requireTables(Gfn to, Optional<Gfn> from) {
    if (to.value() >>> P2mTable.GFN_BITS != 0) {
      throw Refusal.of(Errno.EINVAL, "guest frame %s is beyond 2^%d", to, P2mTable.GFN_BITS);
    }
    int missing = p2m().tablesMissing(to);
    if (from.isPresent()) {
      int others = p2m().tablesMissing(from.get());
      long differ = to.value() ^ from.get().value();
      for (int level = 1; level <= others; level++) {
        boolean shared = level <= missing && differ >>> p2m().geometry().order(level + 1) == 0;
        missing += shared ? 0 : 1;
      }
    }
    domain.memory().pagingPool().orElseThrow().require(missing);
  }
}
