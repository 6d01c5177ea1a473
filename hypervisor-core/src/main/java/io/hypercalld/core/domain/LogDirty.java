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
  /** Frames whose bits are handled in one step. */
  public static final int FRAMES_PER_STEP = DirtyBitmap.LEAF_FRAMES;

  private static final byte ALL_DIRTY = (byte) 0xff;

  private final Domain domain;
  private final Optional<Paging> paging;
  private boolean enabled;
  private long dirtyCount;
  private long faultCount;
  private long failedAllocations;
  private Window window = Window.NONE;
  private Optional<Progress> unfinished = Optional.empty();

  /** Where a display is watched. */
  private record Window(long first, int frames) {
    static final Window NONE = new Window(0, 0);
  }

  /**
   * How far an operation is.
   *
   * @param by whose it is
   * @param op its number in shadow_op
   * @param done frames from the first on
   */
  public record Progress(DomainId by, long op, long done) {
    /** The same operation, further on. */
    public Progress at(long frames) {
      return new Progress(by, op, frames);
    }

    private boolean isOf(DomainId caller, long operation) {
      return by.equals(caller) && op == operation;
    }
  }

  LogDirty(Domain domain, Optional<Paging> paging) {
    this.domain = domain;
    this.paging = paging;
  }

  /** Whether every page of the domain's is watched. */
  public boolean isEnabled() {
    return enabled;
  }

  /** Whether an operation was preempted, so that the domain is paused until it has ended. */
  public boolean isUnfinished() {
    return unfinished.isPresent();
  }

  /**
   * Begins an operation, or goes on with it.
   *
   * @return how far it was brought before
   * @throws Refusal EBUSY where another one, or another caller's, has not ended
   */
  public Progress enter(DomainId caller, long op) {
    if (unfinished.filter(other -> !other.isOf(caller, op)).isPresent()) {
      throw Refusal.of(
          Errno.EBUSY, "operation %d of %s's has not ended", op, unfinished.get().by());
    }
    return unfinished.orElse(new Progress(caller, op, 0));
  }

  /** The operation entered last was preempted. */
  public void leave(Progress reached) {
    unfinished = Optional.of(reached);
  }

  /** The operation entered last has ended, done or refused. */
  public void end() {
    unfinished = Optional.empty();
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
    claimVeto()
        .ifPresent(
            why -> {
              throw Refusal.of(Errno.EBUSY, "%s", why);
            });
    enabled = true;
    p2m.types().changeAll(P2mType.RAM_RW, P2mType.RAM_LOGDIRTY);
  }

  /** Why pages that belong to ioreq servers keep it from being enabled; empty where none do. */
  public Optional<String> claimVeto() {
    long claimed = paging().p2m().entries(P2mType.IOREQ);
    return domain.settings().hasHap() && claimed != 0
        ? Optional.of("%d pages of %s belong to an ioreq server".formatted(claimed, domain.id()))
        : Optional.empty();
  }

  /** Ends that; what was written is to be forgotten. No effect where nothing is watched. */
  public void disable() {
    if (!enabled) {
      return;
    }
    enabled = false;
    paging().p2m().types().changeAll(P2mType.RAM_LOGDIRTY, P2mType.RAM_RW);
    dirtyCount = 0;
    faultCount = 0;
    failedAllocations = 0;
  }

  /**
   * Forgets some of what was written, with the pages that it took.
   *
   * @return whether nothing is left
   */
  public boolean forget() {
    return paging.isEmpty() || paging.get().dirtyBitmap().free(1);
  }

  /** Writes that were caught since the bitmap was last cleaned. */
  public long faultCount() {
    return faultCount;
  }

  /** Frames noted since then. */
  public long dirtyCount() {
    return dirtyCount;
  }

  /**
   * What was written to some guest frames, a bit for each, the lowest of the lowest byte first.
   *
   * @param from a multiple of {@link #FRAMES_PER_STEP}
   * @param count at most as many
   * @param forget whether it is forgotten
   */
  public byte[] copy(long from, int count, boolean forget) {
    byte[] bits = paging().dirtyBitmap().read(from, count);
    if (forget) {
      paging().dirtyBitmap().clearLeaf(from);
    }
    return bits;
  }

  /** What was written is forgotten: watches every page anew. */
  public void rearm() {
    dirtyCount = 0;
    faultCount = 0;
    if (enabled) {
      paging().p2m().types().changeAll(P2mType.RAM_RW, P2mType.RAM_LOGDIRTY);
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
      paging().p2m().types().changeRange(new Gfn(part.first), part.frames, from, to);
    } catch (Refusal refusal) {
      domain.crash("its display could not be watched: %s".formatted(refusal.reason()));
    }
  }

  /**
   * Refuses to say what was written where nobody knows.
   *
   * @throws Refusal ENOMEM where a written page could not be noted; EOPNOTSUPP a PV domain
   */
  public void requireComplete() {
    paging();
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
        .put(window.frames)
        .put(unfinished.toString());
    paging.ifPresent(own -> digest.put(own.dirtyBitmap()));
  }
}
