package io.hypercalld.core.domain;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.FrameAllocator;
import io.hypercalld.core.memory.FrameTable;
import io.hypercalld.core.memory.FrameUse;
import io.hypercalld.core.memory.MachineMemory;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mLookup;
import io.hypercalld.core.p2m.P2mTable;
import io.hypercalld.core.p2m.P2mType;
import io.hypercalld.core.p2m.SyncHook;
import java.util.Arrays;

/**
 * Finds guest pages that hold nothing but zeros and has them wait to be populated again, which
 * frees their frames for others. Confined to the machine thread.
 *
 * <p>The debt stays the same: each frame that is won is a guest frame more that waits.
 *
 * @see "xen/arch/x86/mm/p2m-pod.c, p2m_pod_zero_check, pod_eager_reclaim and
 *     p2m_pod_emergency_sweep"
 */
final class ZeroReclaim implements Digestible {
  /** How many of the guest frames populated last are looked at first. */
  private static final int RECENT = 32;

  /** Guest frames that a sweep looks at before it may be content with what it found. */
  private static final long SWEEP_LIMIT = 1024;

  private static final long NONE = Gfn.INVALID.value();

  /** In an element of {@link #recent}: a page of 2 MiB. */
  private static final long LARGE = 1L << 63;

  private final long[] recent = new long[RECENT];
  private final P2mTable p2m;
  private final FrameTable frames;
  private final MachineMemory memory;
  private final PodCache cache;
  private final int owner;
  private final Domain domain;
  private int next;
  private long highest;
  private long sweepFrom;

  ZeroReclaim(Domain domain, FrameAllocator allocator, PodCache cache) {
    this.p2m = domain.p2m();
    this.frames = allocator.frames();
    this.memory = allocator.memory();
    this.cache = cache;
    this.owner = domain.id().value();
    this.domain = domain;
    Arrays.fill(recent, NONE);
  }

  /** Remembers a page that was populated: many a guest zeroes it and goes on. */
  void remember(Gfn gfn, PageSize size) {
    recent[next] = gfn.value() | (size == PageSize.SIZE_2M ? LARGE : 0);
    next = (next + 1) % RECENT;
    highest = Math.max(highest, gfn.value() + size.frames() - 1);
  }

  /** Looks at one page populated lately, at all of them where the cache is empty. */
  void eagerly() {
    int looked = 0;
    do {
      int index = (next + looked) % RECENT;
      long page = recent[index];
      recent[index] = NONE;
      if (page != NONE) {
        reconsider(page);
      }
      looked++;
    } while (cache.pages() == 0 && looked < RECENT);
  }

  private void reconsider(long page) {
    Gfn gfn = new Gfn(page & ~LARGE);
    if (page >= 0) {
      single(gfn);
    } else if (!superpage(gfn)) {
      for (long i = 0; i < PageSize.SIZE_2M.frames(); i++) {
        single(gfn.plus(i));
      }
    }
  }

  /** Looks at guest frames downwards from where the last sweep stopped, until it found some. */
  void sweep() {
    if (sweepFrom == 0) {
      sweepFrom = highest;
    }
    long limit = Math.max(0, sweepFrom - SWEEP_LIMIT);
    long at = sweepFrom;
    while (at > 0 && (at >= limit || cache.pages() == 0)) {
      single(new Gfn(at));
      at--;
    }
    sweepFrom = at;
  }

  /** Wins the frame of a page of 4 KiB that is all zeros and nobody else's. */
  void single(Gfn gfn) {
    P2mLookup found = p2m.lookup(gfn);
    if (isPlain(found, 1) && isZero(found.mfn(), 1)) {
      exchange(gfn, found.mfn(), PageSize.SIZE_4K);
    }
  }

  /**
   * Wins the frames of 2 MiB that are all zeros, nobody else's, of one type and contiguous.
   *
   * @param gfn a multiple of 512
   * @return whether it did
   */
  boolean superpage(Gfn gfn) {
    long count = PageSize.SIZE_2M.frames();
    P2mLookup first = p2m.lookup(gfn);
    if ((first.mfn().value() & (count - 1)) != 0) {
      return false;
    }
    for (long i = 0; i < count; ) {
      P2mLookup found = p2m.lookup(gfn.plus(i));
      long leaf = Math.min(1L << found.order(), count);
      boolean continues = found.mfn().value() == first.mfn().value() + i;
      if (!continues || found.type() != first.type() || !isPlain(found, leaf)) {
        return false;
      }
      i += leaf;
    }
    return isZero(first.mfn(), count) && exchange(gfn, first.mfn(), PageSize.SIZE_2M);
  }

  /** Whether it is RAM of the domain's own to which nobody else refers. */
  boolean isPlain(P2mLookup found, long count) {
    if (!P2mType.RAM.contains(found.type()) || !frames.contains(found.mfn().value())) {
      return false;
    }
    long first = found.mfn().value();
    for (long mfn = first; mfn < first + count; mfn = frames.blockEnd(mfn)) {
      boolean own = frames.owner(mfn) == owner && frames.use(mfn) == FrameUse.GUEST_RAM;
      if (!own || !frames.isAllocated(mfn) || frames.references(mfn) != 1) {
        return false;
      }
    }
    return true;
  }

  private boolean isZero(Mfn first, long count) {
    for (long i = 0; i < count; i++) {
      if (!memory.isZero(first.plus(i))) {
        return false;
      }
    }
    return true;
  }

  private boolean exchange(Gfn gfn, Mfn mfn, PageSize size) {
    try {
      p2m.during(
          SyncHook.BALLOON, () -> p2m.set(gfn, Mfn.INVALID, size, P2mType.POPULATE_ON_DEMAND));
    } catch (Refusal _) {
      // No page to split a larger leaf: the frame stays where it is, and another may be found.
      return false;
    }
    cache.add(mfn, size);
    domain.facets().mappingsLost();
    return true;
  }

  @Override
  public void digest(StateDigest digest) {
    digest.put(next).put(highest).put(sweepFrom);
    for (long page : recent) {
      digest.put(page);
    }
  }
}
