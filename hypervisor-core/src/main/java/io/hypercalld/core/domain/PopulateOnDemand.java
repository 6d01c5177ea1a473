package io.hypercalld.core.domain;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.FrameAllocator;
import io.hypercalld.core.memory.FrameRun;
import io.hypercalld.core.memory.FrameTable;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mGeometry;
import io.hypercalld.core.p2m.P2mLookup;
import io.hypercalld.core.p2m.P2mTable;
import io.hypercalld.core.p2m.P2mType;
import io.hypercalld.core.p2m.SyncHook;
import java.util.OptionalLong;

/**
 * Guest frames that get a machine frame when they are first touched. Confined to the machine
 * thread.
 *
 * <p>A domain may be promised more than it has: its frames are those populated and those in the
 * cache. Invariant: the guest frames that wait are those whose P2M type says so.
 *
 * @see "xen/arch/x86/mm/p2m-pod.c"
 */
public final class PopulateOnDemand implements Digestible {
  private static final P2mType WAITING = P2mType.POPULATE_ON_DEMAND;

  private final Domain domain;
  private final P2mTable p2m;
  private final FrameTable frames;
  private final PodCache cache;
  private final ZeroReclaim reclaim;
  private final PodBalloon balloon;

  PopulateOnDemand(Domain domain, FrameAllocator allocator) {
    this.domain = domain;
    this.p2m = domain.p2m();
    this.frames = allocator.frames();
    this.cache = new PodCache(allocator);
    this.reclaim = new ZeroReclaim(domain, allocator, cache);
    this.balloon = new PodBalloon(domain, this, cache, reclaim);
  }

  /** Whether any guest frame waits to be populated. */
  public boolean isActive() {
    return entries() > 0;
  }

  /** Guest frames that wait to be populated. */
  public long entries() {
    long found = 0;
    for (PageSize size : PageSize.values()) {
      found += p2m.entries(WAITING, size.order()) << size.order();
    }
    return found;
  }

  /** Frames kept to populate from. */
  public long cachedPages() {
    return cache.pages();
  }

  /**
   * Leaves {@code 1 << order} guest frames to be populated when they are touched.
   *
   * @throws Refusal ENOTEMPTY where the domain has devices or their memory; EBUSY where anything
   *     else is mapped; EINVAL out of reach or, as the pages there have no single frames, with a
   *     P2M of larger granules; ENOMEM no pages for tables. Chunks done before stay; one that may
   *     be done in part crashes the domain
   */
  public void mark(Gfn gfn, int order) {
    if (p2m.settings().geometry() != P2mGeometry.GRANULE_4K) {
      throw Refusal.of(Errno.EINVAL, "the P2M of %s has no pages of 4 KiB", domain.id());
    }
    requireNoDevices();
    long left = 1L << order;
    long at = gfn.value();
    while (left > 0) {
      int chunk = Long.numberOfTrailingZeros(at | left);
      markChunk(new Gfn(at), chunk);
      at += 1L << chunk;
      left -= 1L << chunk;
    }
    domain.facets().mappingsLost();
  }

  private void markChunk(Gfn gfn, int order) {
    long count = 1L << order;
    for (long i = 0; i < count; ) {
      P2mLookup found = p2m.lookup(gfn.plus(i));
      if (found.type() != WAITING && found.type() != P2mType.MMIO_DM) {
        throw Refusal.of(
            Errno.EBUSY, "guest frame %s of %s is %s", gfn.plus(i), domain.id(), found.type());
      }
      i += within(found, gfn.plus(i), count - i);
    }
    try {
      p2m.during(SyncHook.PHYSMAP_ADD, () -> p2m.setRun(gfn, Mfn.INVALID, count, WAITING));
    } catch (Refusal refusal) {
      // Of several leaves nobody knows how many were written.
      if (order > 0) {
        domain.crash("%d guest frames from %s could not all wait".formatted(count, gfn));
      }
      throw refusal;
    }
  }

  private void requireNoDevices() {
    if (domain.facets().hasDevices() || domain.hasIoCapabilities()) {
      throw Refusal.of(
          Errno.ENOTEMPTY, "%s has devices, which cannot wait for its memory", domain.id());
    }
  }

  /** Frames from the guest frame to the end of its leaf, at most {@code most}. */
  static long within(P2mLookup found, Gfn gfn, long most) {
    long leaf = 1L << found.order();
    return Math.min(most, leaf - (gfn.value() & (leaf - 1)));
  }

  /**
   * How large the cache is to become so that the domain has {@code target} pages: empty where
   * nothing is to be done.
   *
   * @throws Refusal ENOTEMPTY where the domain has devices or their memory
   */
  public OptionalLong cacheFor(long target) {
    long total = domain.reservation().totalPages();
    long populated = total - cache.pages();
    long waiting = entries();
    boolean settled = populated > 0 && waiting == 0;
    if (settled || domain.isDying() || Long.compareUnsigned(target, total) < 0) {
      return OptionalLong.empty();
    }
    requireNoDevices();
    long wanted = target - populated;
    // Beyond that the balloon driver fills in the rest.
    return OptionalLong.of(populated > 0 ? Math.min(wanted, waiting) : wanted);
  }

  /**
   * Brings the cache one block nearer to a size.
   *
   * @return the frames that it gained or lost; 0 where it has the size
   * @throws Refusal ENOMEM where the machine or the domain's limit has no frame for it
   */
  public long approach(long pages) {
    if (cache.pages() < pages) {
      return grow(pages - cache.pages());
    }
    return cache.pages() > pages ? shrink(cache.pages() - pages) : 0;
  }

  private long grow(long most) {
    if (most >= PageSize.SIZE_2M.frames() && tryGrow(PageSize.SIZE_2M)) {
      return PageSize.SIZE_2M.frames();
    }
    if (!tryGrow(PageSize.SIZE_4K)) {
      throw Refusal.of(
          Errno.ENOMEM,
          "%s gets no frame more than %d",
          domain.id(),
          domain.reservation().totalPages());
    }
    return 1;
  }

  private boolean tryGrow(PageSize size) {
    try {
      long mfn = domain.reservation().allocate(size.order(), Long.MAX_VALUE);
      cache.add(new Mfn(mfn), size);
      return true;
    } catch (Refusal _) {
      return false;
    }
  }

  private long shrink(long most) {
    boolean large = most > PageSize.SIZE_2M.frames() && cache.hasSuperpage();
    PageSize size = large ? PageSize.SIZE_2M : PageSize.SIZE_4K;
    long mfn = cache.take(size).orElseThrow();
    domain.reservation().free(new FrameRun(mfn, size.frames()));
    return size.frames();
  }

  /**
   * Takes {@code 1 << order} guest frames back as far as they wait to be populated, or are needed
   * to populate others.
   *
   * @return how many guest frames it took back
   */
  public long decrease(Gfn gfn, int order) {
    if (domain.isDying() || !isActive()) {
      return 0;
    }
    long handled = balloon.decrease(gfn, order);
    // What waits no more needs no frame; where nothing did, nothing is given back.
    while (handled > 0 && cache.pages() > entries()) {
      approach(entries());
    }
    return handled;
  }

  /**
   * Populates the page of {@code 1 << order} frames around a guest frame that waits for it, or has
   * it wait in smaller pages where the cache has none that large.
   *
   * @return whether another look-up finds something else; false where the domain is dying, has no
   *     pages for tables, or was crashed for want of frames
   */
  boolean populate(Gfn gfn, int order) {
    if (domain.isDying()) {
      return false;
    }
    if (order == PageSize.SIZE_1G.order()) {
      return remap(gfn, order, PageSize.SIZE_2M);
    }
    if (entries() > cache.pages()) {
      reclaim.eagerly();
    }
    if (cache.pages() == 0) {
      reclaim.sweep();
    }
    if (cache.pages() == 0) {
      domain.crash(
          "guest frame %s waits to be populated, as do %d, and no frame is left"
              .formatted(gfn, entries()));
      return false;
    }
    PageSize size = order == 0 ? PageSize.SIZE_4K : PageSize.SIZE_2M;
    OptionalLong mfn = cache.take(size);
    return mfn.isPresent()
        ? map(aligned(gfn, order), new Mfn(mfn.getAsLong()), size)
        : remap(gfn, order, PageSize.SIZE_4K);
  }

  private boolean map(Gfn gfn, Mfn mfn, PageSize size) {
    try {
      p2m.during(SyncHook.PHYSMAP_ADD, () -> p2m.set(gfn, mfn, size, P2mType.RAM_RW));
    } catch (Refusal _) {
      cache.add(mfn, size);
      return false;
    }
    frames.mapped(mfn.value(), size.frames(), gfn.value());
    for (long i = 0; i < size.frames(); i++) {
      domain.logDirty().markDirty(gfn.plus(i));
    }
    reclaim.remember(gfn, size);
    return true;
  }

  // Writing one smaller leaf splits the large one, so that the others are smaller, too.
  private boolean remap(Gfn gfn, int order, PageSize size) {
    try {
      p2m.set(aligned(gfn, order), Mfn.INVALID, size, WAITING);
      return true;
    } catch (Refusal _) {
      return false;
    }
  }

  private static Gfn aligned(Gfn gfn, int order) {
    return new Gfn(gfn.value() & (-1L << order));
  }

  /** Forgets the cache while the domain is dying; its frames are given back with all others. */
  void emptyCache() {
    cache.clear();
  }

  /** Frames in the cache, for those who check. */
  public boolean isConsistent() {
    for (long mfn : cache.singles()) {
      if (!isSpare(mfn)) {
        return false;
      }
    }
    for (long mfn : cache.superpages()) {
      for (long i = 0; i < PageSize.SIZE_2M.frames(); i++) {
        if (!isSpare(mfn + i)) {
          return false;
        }
      }
    }
    return true;
  }

  private boolean isSpare(long mfn) {
    return domain.reservation().owns(mfn)
        && frames.references(mfn) == 1
        && frames.m2p(mfn) == FrameTable.INVALID_M2P;
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("populate-on-demand").put(cache).put(reclaim);
  }
}
