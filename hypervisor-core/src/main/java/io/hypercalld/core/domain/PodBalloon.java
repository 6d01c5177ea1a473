package io.hypercalld.core.domain;

import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mLookup;
import io.hypercalld.core.p2m.P2mTable;
import io.hypercalld.core.p2m.P2mType;
import io.hypercalld.core.p2m.SyncHook;

/**
 * Takes guest frames back from a domain of which some wait to be populated. Confined to the machine
 * thread.
 *
 * <p>A guest that was promised too much gives memory back before it has touched all of it: what it
 * gives pays for what it was promised.
 *
 * @see "xen/arch/x86/mm/p2m-pod.c, decrease_reservation"
 */
final class PodBalloon {
  private static final P2mType WAITING = P2mType.POPULATE_ON_DEMAND;

  private final Domain domain;
  private final P2mTable p2m;
  private final PopulateOnDemand debts;
  private final PodCache cache;
  private final ZeroReclaim reclaim;

  PodBalloon(Domain domain, PopulateOnDemand debts, PodCache cache, ZeroReclaim reclaim) {
    this.domain = domain;
    this.p2m = domain.p2m();
    this.debts = debts;
    this.cache = cache;
    this.reclaim = reclaim;
  }

  /** Takes {@code 1 << order} guest frames; answers how many it was concerned with. */
  long decrease(Gfn gfn, int order) {
    long waiting = 0;
    long ram = 0;
    long count = 1L << order;
    for (long i = 0; i < count; ) {
      P2mLookup found = p2m.lookup(gfn.plus(i));
      long part = PopulateOnDemand.within(found, gfn.plus(i), count - i);
      waiting += found.type() == WAITING ? part : 0;
      ram += P2mType.RAM.contains(found.type()) ? part : 0;
      i += part;
    }
    if (waiting == count) {
      return clear(gfn, order);
    }
    // Drivers give back single pages: where all around them is zero, the whole block is won.
    Gfn block = new Gfn(gfn.value() & -PageSize.SIZE_2M.frames());
    boolean small = order < PageSize.SIZE_2M.order();
    if (small && ram == count && isShort() && reclaim.superpage(block)) {
      waiting = count;
      ram = 0;
    }
    return takeParts(gfn, count, new Left(waiting, ram));
  }

  private long clear(Gfn gfn, int order) {
    try {
      unmap(gfn, 1L << order);
      return 1L << order;
    } catch (Refusal _) {
      // Of several leaves nobody knows how many were written.
      if (order > 0) {
        domain.crash("2^%d guest frames from %s could not all be taken".formatted(order, gfn));
      }
      return 0;
    }
  }

  /** Guest frames of a range that were not met yet. */
  private record Left(long waiting, long ram) {
    Left without(P2mLookup found, long part) {
      return found.type() == WAITING
          ? new Left(waiting - part, ram)
          : new Left(waiting, ram - part);
    }
  }

  private long takeParts(Gfn gfn, long count, Left atFirst) {
    Left left = atFirst;
    long handled = 0;
    for (long i = 0; i < count && (left.waiting > 0 || (left.ram > 0 && isShort())); ) {
      Gfn at = gfn.plus(i);
      P2mLookup found = p2m.lookup(at);
      long part = PopulateOnDemand.within(found, at, count - i);
      if (take(at, found, part)) {
        left = left.without(found, part);
        handled += part;
      }
      i += part;
    }
    return handled;
  }

  private boolean take(Gfn gfn, P2mLookup found, long count) {
    boolean spare = found.type() != WAITING && isShort() && reclaim.isPlain(found, count);
    if (spare || found.type() == WAITING) {
      unmap(gfn, count);
    }
    if (spare) {
      cache.addRun(found.mfn(), count);
    }
    return spare || found.type() == WAITING;
  }

  /** Whether more wait than could be populated from the cache. */
  private boolean isShort() {
    return debts.entries() > cache.pages();
  }

  private void unmap(Gfn gfn, long count) {
    p2m.during(SyncHook.BALLOON, () -> p2m.setRun(gfn, Mfn.INVALID, count, P2mType.INVALID));
  }
}
