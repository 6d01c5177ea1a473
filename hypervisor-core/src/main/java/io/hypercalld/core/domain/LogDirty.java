package io.hypercalld.core.domain;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mTable;
import io.hypercalld.core.p2m.P2mType;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * Which guest frames were written since somebody last asked: all of them for live migration, or
 * those of one window for a display. Confined to the machine thread.
 *
 * <p>Watched frames are {@link P2mType#RAM_LOGDIRTY}; the first write to one makes it {@link
 * P2mType#RAM_RW} again.
 *
 * @see "xen/arch/x86/mm/paging.c, paging_log_dirty_op; xen/arch/x86/mm/hap/hap.c,
 *     hap_track_dirty_vram"
 */
public final class LogDirty implements Digestible {
  /** Pages of the bitmap given back at once. */
  private static final int ALL = Integer.MAX_VALUE;

  private static final byte ALL_DIRTY = (byte) 0xff;

  private final Domain domain;
  private final Optional<Paging> paging;
  private boolean enabled;
  private long dirtyCount;
  private long faultCount;
  private long failedAllocations;
  private Window window = Window.NONE;

  /** Where a display is watched. */
  private record Window(long first, int frames) {
    static final Window NONE = new Window(0, 0);
  }

  /**
   * What was written since the last time.
   *
   * @param bits a bit for each guest frame from 0 on, the lowest of the lowest byte first
   * @param faultCount writes that were caught
   * @param dirtyCount frames noted
   */
  public record Written(List<Integer> bits, long faultCount, long dirtyCount) {}

  LogDirty(Domain domain, Optional<Paging> paging) {
    this.domain = domain;
    this.paging = paging;
  }

  /** Whether every page of the domain's is watched. */
  public boolean isEnabled() {
    return enabled;
  }

  /**
   * Begins to watch every page.
   *
   * @throws Refusal EOPNOTSUPP a PV domain; EINVAL it does so already; EBUSY where pages belong to
   *     an ioreq server. Nothing changed
   */
  public void enable() {
    P2mTable p2m = paging().p2m();
    if (enabled) {
      throw Refusal.of(Errno.EINVAL, "%s logs its dirty pages already", domain.id());
    }
    long claimed = p2m.entries(P2mType.IOREQ_SERVER);
    if (domain.hasHap() && claimed != 0) {
      throw Refusal.of(
          Errno.EBUSY, "%d pages of %s belong to an ioreq server", claimed, domain.id());
    }
    enabled = true;
    p2m.changeAll(P2mType.RAM_RW, P2mType.RAM_LOGDIRTY);
  }

  /** Ends that and forgets what was written; no effect where nothing is watched. */
  public void disable() {
    if (!enabled) {
      return;
    }
    enabled = false;
    paging().p2m().changeAll(P2mType.RAM_LOGDIRTY, P2mType.RAM_RW);
    paging().dirtyBitmap().free(ALL);
    dirtyCount = 0;
    faultCount = 0;
    failedAllocations = 0;
  }

  /**
   * What was written to the first {@code frames} guest frames.
   *
   * @throws Refusal ENOMEM where a written page could not be noted, so that nobody can say
   */
  public Written written(int frames) {
    requireComplete();
    byte[] bits = paging().dirtyBitmap().read(frames);
    return new Written(new Octets(bits), faultCount, dirtyCount);
  }

  /**
   * Forgets what was written and watches every page anew.
   *
   * @throws Refusal ENOMEM as {@link #written}; nothing changed
   */
  public void clean() {
    requireComplete();
    dirtyCount = 0;
    faultCount = 0;
    paging().dirtyBitmap().clear();
    if (enabled) {
      paging().p2m().changeAll(P2mType.RAM_RW, P2mType.RAM_LOGDIRTY);
    }
  }

  /** Notes that a frame was written; no effect unless all pages are watched. */
  public void markDirty(Gfn gfn) {
    if (!enabled) {
      return;
    }
    long granule = paging().p2m().geometry().granuleFrames();
    long first = gfn.value() & -granule;
    try {
      // A write to one frame of a granule lets the guest write all of them unseen.
      for (long frame = first; frame < first + granule; frame++) {
        dirtyCount += paging().dirtyBitmap().set(new Gfn(frame)) ? 1 : 0;
      }
    } catch (Refusal refusal) {
      // A lost bit may not go unnoticed: whoever reads the bitmap next is refused.
      failedAllocations++;
    }
  }

  /** Forgets that a frame was written, as it is not mapped any more. */
  public void markClean(Gfn gfn) {
    if (enabled) {
      dirtyCount -= paging().dirtyBitmap().clear(gfn) ? 1 : 0;
    }
  }

  /**
   * A vCPU writes to a frame: it is noted, and not watched any more until somebody asks again.
   *
   * @throws Refusal ENOMEM no page to split a larger leaf; the write is noted
   */
  public void writeFault(Gfn gfn) {
    faultCount++;
    // The page of the P2M that is not watched any more may be larger than a bit stands for.
    long granule = paging().p2m().geometry().granuleFrames();
    Gfn first = new Gfn(gfn.value() & -granule);
    for (long i = 0; i < granule; i++) {
      markDirty(first.plus(i));
    }
    paging().p2m().changeType(gfn, P2mType.RAM_LOGDIRTY, P2mType.RAM_RW);
  }

  /**
   * Watches one window, in place of the one before, and says what was written there since it was
   * last asked about the same one: everything, at first. A change that cannot be made for want of
   * pages crashes the domain, as in Xen.
   *
   * @param frames 0 to watch none any more
   * @return a bit for each frame of the window, the lowest of the lowest byte first
   */
  public List<Integer> track(Gfn first, int frames) {
    byte[] bits = new byte[(frames + Byte.SIZE - 1) / Byte.SIZE];
    Window wanted = frames == 0 ? Window.NONE : new Window(first.value(), frames);
    if (!wanted.equals(window)) {
      Window before = window;
      window = wanted;
      change(before, P2mType.RAM_LOGDIRTY, P2mType.RAM_RW);
      change(wanted, P2mType.RAM_RW, P2mType.RAM_LOGDIRTY);
      Arrays.fill(bits, ALL_DIRTY);
      return new Octets(bits);
    }
    long granule = frames == 0 ? 1 : paging().p2m().geometry().granuleFrames();
    boolean written = false;
    for (int i = 0; i < frames; i++) {
      Gfn gfn = first.plus(i);
      boolean begins = i == 0 || (gfn.value() & (granule - 1)) == 0;
      written = begins ? rearm(gfn) : written;
      bits[i / Byte.SIZE] |= (byte) (written ? 1 << (i % Byte.SIZE) : 0);
    }
    return new Octets(bits);
  }

  private boolean rearm(Gfn gfn) {
    P2mTable p2m = paging().p2m();
    if (p2m.lookup(gfn).type() != P2mType.RAM_RW) {
      return false;
    }
    try {
      p2m.changeType(gfn, P2mType.RAM_RW, P2mType.RAM_LOGDIRTY);
      return true;
    } catch (Refusal refusal) {
      // As in Xen: what cannot be watched again is not reported either.
      return false;
    }
  }

  private void change(Window part, P2mType from, P2mType to) {
    if (part.frames == 0) {
      return;
    }
    try {
      paging().p2m().changeRange(new Gfn(part.first), part.frames, from, to);
    } catch (Refusal refusal) {
      domain.crash("its display could not be watched: %s".formatted(refusal.reason()));
    }
  }

  private void requireComplete() {
    if (failedAllocations > 0) {
      throw Refusal.of(
          Errno.ENOMEM, "%d written pages of %s were not noted", failedAllocations, domain.id());
    }
  }

  private Paging paging() {
    return paging.orElseThrow(
        () -> Refusal.of(Errno.EOPNOTSUPP, "%s has no P2M to watch", domain.id()));
  }

  @Override
  public void digest(StateDigest digest) {
    digest
        .section("log-dirty")
        .put(enabled)
        .put(dirtyCount)
        .put(faultCount)
        .put(failedAllocations)
        .put(window.first)
        .put(window.frames);
    paging.ifPresent(own -> digest.put(own.dirtyBitmap()));
  }
}
