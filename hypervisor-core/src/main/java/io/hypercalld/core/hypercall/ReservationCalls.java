package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainTable;
import io.hypercalld.core.domain.PhysicalMap;
import io.hypercalld.core.domain.Privilege;
import io.hypercalld.core.domain.Reservation;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.FrameAllocator;
import io.hypercalld.core.memory.FrameRun;
import io.hypercalld.core.memory.FrameTable;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mTable;
import io.hypercalld.core.p2m.SyncHook;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The operations on a domain's reservation, which answer how far they came. Confined to the machine
 * thread.
 *
 * <p>The reason why one stops is dropped, as the interface has no place for it; what is done before
 * stays done.
 *
 * @see "xen/common/memory.c, populate_physmap and its neighbours"
 */
final class ReservationCalls {
  private final FrameAllocator allocator;
  private final DomainTable domains;
  private final Continuations continuations;

  ReservationCalls(FrameAllocator allocator, DomainTable domains, Continuations continuations) {
    this.allocator = allocator;
    this.domains = domains;
    this.continuations = continuations;
  }

  /**
   * What one operation does with the extents from {@code index} on, at most so many: answers how
   * many it did.
   */
  private interface Extent {
    long handle(Domain domain, Extents extents, long index, long most);
  }

  Outcome populate(Domain caller, PopulatePhysmap args) {
    if (Extents.POPULATE_ON_DEMAND.isSet(args.memFlags().value())) {
      return run(caller, args, (domain, extents, index, _) -> mark(caller, domain, extents, index));
    }
    List<Mfn> found = new ArrayList<>();
    Outcome outcome =
        run(
            caller,
            args,
            (domain, extents, index, most) -> {
              if (domain.physicalMap().isPresent()) {
                return populateSome(domain, extents, index, most);
              }
              Mfn mfn = allocate(domain, extents);
              allocator.frames().setM2p(mfn.value(), extents.order(), extents.frames().at(index));
              found.add(mfn);
              return 1;
            });
    return listing(outcome, found);
  }

  Outcome increase(Domain caller, IncreaseReservation args) {
    List<Mfn> found = new ArrayList<>();
    // A translated domain's list is neither read nor written.
    Outcome outcome =
        run(
            caller,
            args,
            (domain, extents, _, _) -> {
              Mfn mfn = allocate(domain, extents);
              if (!domain.type().isTranslated()) {
                found.add(mfn);
              }
              return 1;
            });
    return listing(outcome, found);
  }

  Outcome decrease(Domain caller, DecreaseReservation args) {
    return run(caller, args, this::removeSome);
  }

  private static Outcome listing(Outcome outcome, List<Mfn> found) {
    if (found.isEmpty()) {
      return outcome;
    }
    ExtentList list = new ExtentList(found);
    return switch (outcome) {
      case Outcome.Success(long ret, Object _) -> new Outcome.Success(ret, list);
      case Outcome.Preempted(Hypercall rest, Object _) -> Outcome.preempted(rest, list);
      case Outcome.Refused refused -> refused;
    };
  }

  private Outcome run(Domain caller, ReservationRequest args, Extent extent) {
    long done = args.startExtent();
    try {
      Extents extents = Extents.of(args, caller, allocator);
      Domain domain = domains.any(caller, args.domid());
      Privilege.TARGET.demand(caller, domain);
      boolean listed = !(args instanceof IncreaseReservation) || !domain.type().isTranslated();
      long end = listed ? extents.listed() : extents.count();
      Steps steps = continuations.begin(caller);
      while (done < end) {
        long handled = extent.handle(domain, extents, done, steps.room(extents.order()));
        done += handled;
        if (steps.handled(handled, extents.order()) && done < end) {
          return Outcome.preempted(args.startingAt(done));
        }
      }
      steps.finish();
    } catch (Refusal refusal) {
      return Outcome.count(done);
    }
    return Outcome.count(done);
  }

  private static long mark(Domain caller, Domain domain, Extents extents, long index) {
    if (domain == caller) {
      throw Refusal.of(Errno.EINVAL, "%s may not populate itself on demand", domain.id());
    }
    // For a PV domain Xen counts the extent and does nothing.
    if (domain.type().isTranslated()) {
      domain
          .features()
          .populateOnDemand()
          .mark(new Gfn(extents.frames().at(index)), extents.order());
    }
    return 1;
  }

  /** One extent, or as many single pages as can be done at once to the same effect. */
  private long removeSome(Domain domain, Extents extents, long index, long most) {
    Optional<PhysicalMap> map = domain.physicalMap();
    if (extents.order() == 0
        && map.isPresent()
        && !domain.features().populateOnDemand().isActive()) {
      long wanted = consecutive(extents, index, most);
      Gfn first = new Gfn(extents.frames().at(index));
      long removed = map.get().removeAndReleaseRun(first, wanted, SyncHook.BALLOON);
      if (removed > 0) {
        return removed;
      }
    }
    removeExtent(domain, extents, index);
    return 1;
  }

  private void removeExtent(Domain domain, Extents extents, long index) {
    Gfn first = new Gfn(extents.frames().at(index));
    long pages = 1L << extents.order();
    // What waited to be populated maps nothing any more, and is not missed again below.
    long taken =
        domain.type().isTranslated()
            ? domain.features().populateOnDemand().decrease(first, extents.order())
            : 0;
    long granule = domain.physicalMap().map(PhysicalMap::granule).orElse(1L);
    if (pages < granule) {
      throw lessThanAPage(domain, granule);
    }
    for (long page = 0; page < pages && taken < pages; ) {
      try {
        page += remove(domain, first.plus(page), pages - page);
      } catch (Refusal refusal) {
        if (refusal.errno() != Errno.ENOENT || taken == 0) {
          throw refusal;
        }
        taken--;
        page += granule;
      }
    }
  }

  /** One extent, or as many as can be done at once to the same effect. */
  private static long populateSome(Domain domain, Extents extents, long index, long most) {
    PhysicalMap map = domain.physicalMap().orElseThrow();
    Gfn gfn = new Gfn(extents.frames().at(index));
    if (1L << extents.order() < map.granule()) {
      throw lessThanAPage(domain, map.granule());
    }
    long wanted = runLength(domain.p2m(), extents, index, most);
    long populated = wanted > 1 ? populateRun(domain, gfn, extents.size(), wanted) : 0;
    if (populated > 0) {
      return populated;
    }
    map.populate(gfn, allocate(domain, extents), 1L << extents.order());
    return 1;
  }

  /** Populates as many blocks of a run as there are in a row, or none if that is refused. */
  private static long populateRun(Domain domain, Gfn gfn, PageSize size, long wanted) {
    Reservation reservation = domain.reservation();
    long claimed = reservation.claimed();
    FrameRun run = reservation.allocateRun(size, wanted, gfn);
    try {
      domain.physicalMap().orElseThrow().populateLeaves(gfn, run, size);
      return run.count() >>> size.order();
    } catch (Refusal _) {
      // One by one, as many are populated as can be.
      reservation.takeBack(run, claimed);
      return 0;
    }
  }

  private static Refusal lessThanAPage(Domain domain, long granule) {
    return Refusal.of(Errno.EINVAL, "a page of %s has %d frames of 4 KiB", domain.id(), granule);
  }

  private static long runLength(P2mTable p2m, Extents extents, long index, long most) {
    boolean alone = !p2m.announcements().isUnheard() && !followsNeighbour(extents, index);
    if (alone || !extents.isOfOneSize() || extents.end() != Long.MAX_VALUE) {
      return 1;
    }
    Gfn gfn = new Gfn(extents.frames().at(index));
    long length = p2m.leavesAtOnce(gfn, extents.size(), consecutive(extents, index, most));
    return length > 1 && p2m.isUnmapped(gfn, length << extents.order()) ? length : 1;
  }

  /**
   * Whether the extent before was the page before, under the same lowest table: whoever follows the
   * P2M then has the tables, whose frames would otherwise be allocated in another order.
   */
  private static boolean followsNeighbour(Extents extents, long index) {
    GuestFrames frames = extents.frames();
    long gfn = frames.at(index);
    boolean begins = (gfn & (Steps.PAGES - 1)) == 0;
    return extents.order() == 0 && index > 0 && !begins && frames.at(index - 1) == gfn - 1;
  }

  /**
   * How many extents from {@code index} on, at most so many, follow each other; of single pages
   * those between two multiples of 512.
   */
  private static long consecutive(Extents extents, long index, long most) {
    GuestFrames frames = extents.frames();
    int order = extents.order();
    long first = frames.at(index);
    long inside = order == 0 ? first & (Steps.PAGES - 1) : 0;
    long max = Math.min(extents.listed() - index, Math.min(most, Steps.PAGES - inside));
    if (order == 0 && frames instanceof GuestFrames.Consecutive) {
      return max;
    }
    long length = 1;
    while (length < max && frames.at(index + length) == first + (length << order)) {
      length++;
    }
    return length;
  }

  private static Mfn allocate(Domain domain, Extents extents) {
    long mfn = domain.reservation().allocate(extents.order(), extents.end());
    FrameRun run = new FrameRun(mfn, 1L << extents.order());
    try {
      domain.facets().gained(run, SyncHook.PHYSMAP_ADD);
    } catch (Refusal refusal) {
      domain.reservation().free(run);
      throw refusal;
    }
    return new Mfn(mfn);
  }

  /** Removes a page, or as many of those wanted as can be at once, and says how many. */
  private long remove(Domain domain, Gfn gfn, long wanted) {
    Optional<PhysicalMap> physical = domain.physicalMap();
    if (physical.isEmpty()) {
      removeFrame(domain, gfn.value());
      return 1;
    }
    PhysicalMap map = physical.get();
    long removed = map.removeAndReleaseRun(gfn, wanted, SyncHook.BALLOON);
    if (removed > 0) {
      return removed;
    }
    map.removeAndRelease(gfn, SyncHook.BALLOON);
    return map.granule();
  }

  /** A PV domain names frames of the machine. */
  private void removeFrame(Domain domain, long mfn) {
    FrameTable frames = allocator.frames();
    if (!frames.contains(mfn) || !domain.reservation().owns(mfn)) {
      throw Refusal.of(Errno.EINVAL, "frame 0x%x is not %s's", mfn, domain.id());
    }
    domain.facets().losing(new FrameRun(mfn, 1), SyncHook.BALLOON);
    frames.clearM2p(mfn, 0);
    domain.reservation().release(mfn);
  }
}
