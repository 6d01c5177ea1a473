package io.hypercalld.core.domain;

import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.FrameTable;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mLookup;
import io.hypercalld.core.p2m.P2mTable;
import io.hypercalld.core.p2m.P2mType;

/**
 * Device registers in a translated domain's P2M. Confined to the machine thread.
 *
 * @see "xen/arch/x86/mm/p2m.c, map_mmio_regions and set_typed_p2m_entry"
 */
public final class DeviceMap {
  /** Leaves handled by one call. */
  public static final int MOST_LEAVES = 64;

  private final Domain domain;
  private final P2mTable p2m;
  private final FrameTable frames;

  /** The registers that a translated domain sees. */
  public DeviceMap(Domain domain, FrameTable frames) {
    this.domain = domain;
    this.p2m = domain.p2m();
    this.frames = frames;
  }

  /** What is done with one leaf. */
  private interface Leaf {
    void at(Gfn gfn, Mfn mfn, long count);
  }

  /**
   * Maps consecutive frames of registers, by leaves of 2 MiB where they fit.
   *
   * @return how many were mapped: fewer than {@code count} after {@link #MOST_LEAVES} leaves, or
   *     where one that is not the first is refused
   * @throws Refusal EPERM over another device's or domain's page, which crashes the domain; ENOMEM
   *     no pages for tables; as {@link P2mTable#set} otherwise
   */
  public long map(Gfn gfn, Mfn mfn, long count) {
    return forEachLeaf(gfn, mfn, count, this::mapOne);
  }

  /**
   * Takes consecutive frames of registers out, whichever they are.
   *
   * @return how many were taken out, as {@link #map}
   * @throws Refusal EINVAL where there are none; ENOMEM no page to split a larger leaf
   */
  public long unmap(Gfn gfn, Mfn mfn, long count) {
    return forEachLeaf(gfn, mfn, count, this::unmapOne);
  }

  private long forEachLeaf(Gfn gfn, Mfn mfn, long count, Leaf action) {
    long done = 0;
    for (int leaf = 0; leaf < MOST_LEAVES && done < count; leaf++) {
      Gfn at = gfn.plus(done);
      long frames = leafFrames(at, mfn.plus(done), count - done);
      try {
        action.at(at, mfn.plus(done), frames);
      } catch (Refusal refusal) {
        if (done == 0) {
          throw refusal;
        }
        return done;
      }
      done += frames;
    }
    return done;
  }

  /** Frames of the largest leaf that fits and is not larger than the one that is there. */
  private long leafFrames(Gfn gfn, Mfn mfn, long left) {
    PageSize large = PageSize.SIZE_2M;
    boolean fits =
        domain.settings().hasHap()
            && p2m.geometry().hasSuperpages()
            && large.compareTo(p2m.settings().largestLeaf()) <= 0
            && ((gfn.value() | mfn.value()) & (large.frames() - 1)) == 0
            && left >= large.frames()
            && p2m.lookup(gfn).order() >= large.order();
    return fits ? large.frames() : p2m.geometry().granuleFrames();
  }

  private void mapOne(Gfn gfn, Mfn mfn, long count) {
    P2mLookup found = unshared(gfn);
    if (P2mType.SPECIAL.contains(found.type())) {
      if (found.type() != P2mType.MMIO_DIRECT || !found.mfn().equals(mfn)) {
        domain.crash("a device was mapped over %s at guest frame %s".formatted(found.type(), gfn));
        throw Refusal.of(Errno.EPERM, "guest frame %s of %s is %s", gfn, domain.id(), found.type());
      }
      if (found.access() == p2m.defaultAccess()) {
        return;
      }
    }
    p2m.setRun(gfn, mfn, count, P2mType.MMIO_DIRECT);
    noteReplaced(gfn, found, count);
  }

  private P2mLookup unshared(Gfn gfn) {
    P2mLookup found = p2m.lookup(gfn);
    if (found.type() != P2mType.RAM_SHARED) {
      return found;
    }
    P2mLookup own = domain.physicalMap().orElseThrow().obtainUnshared(gfn);
    if (own.type() == P2mType.RAM_SHARED) {
      throw Refusal.of(Errno.ENOMEM, "guest frame %s of %s stays shared", gfn, domain.id());
    }
    return own;
  }

  /** The frame that was there stays the domain's. */
  private void noteReplaced(Gfn gfn, P2mLookup found, long count) {
    long mfn = found.storedMfn().value();
    if (P2mType.PAGING.contains(found.type()) && !found.mfn().isValid()) {
      domain.features().paging().overwritten(count);
    }
    if (frames.contains(mfn)
        && frames.owner(mfn) == domain.id().value()
        && frames.m2p(mfn) == gfn.value()) {
      frames.mapped(mfn, count, FrameTable.INVALID_M2P);
      domain.facets().mappingsLost();
      for (long i = 0; domain.logDirty().isEnabled() && i < count; i++) {
        domain.logDirty().markClean(gfn.plus(i));
      }
    }
  }

  private void unmapOne(Gfn gfn, Mfn mfn, long count) {
    P2mLookup found = p2m.lookup(gfn);
    if (found.type() != P2mType.MMIO_DIRECT || !found.mfn().isValid()) {
      throw Refusal.of(
          Errno.EINVAL,
          "guest frame %s of %s is %s, not frame %s of a device",
          gfn,
          domain.id(),
          found.type(),
          mfn);
    }
    p2m.setRun(gfn, Mfn.INVALID, count, P2mType.INVALID);
  }
}
