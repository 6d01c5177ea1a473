package io.hypercalld.core.hypercall;

import io.hypercalld.core.dma.DmaMode;
import io.hypercalld.core.dma.DomainDma;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainTable;
import io.hypercalld.core.domain.PageExchange;
import io.hypercalld.core.domain.Privilege;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.FrameAllocator;
import io.hypercalld.core.memory.FrameRun;
import io.hypercalld.core.memory.FrameTable;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mLookup;
import io.hypercalld.core.p2m.P2mType;
import io.hypercalld.core.p2m.SyncHook;
import java.util.ArrayList;
import java.util.List;

/**
 * The exchange of a PV or a driver domain's frames. Confined to the machine thread.
 *
 * @see "xen/common/memory.c, memory_exchange; xen/arch/x86/mm.c, steal_page"
 */
final class ExchangeCalls {
  private final FrameAllocator allocator;
  private final DomainTable domains;
  private final Continuations continuations;

  ExchangeCalls(FrameAllocator allocator, DomainTable domains, Continuations continuations) {
    this.allocator = allocator;
    this.domains = domains;
    this.continuations = continuations;
  }

  /** The chunks of one exchange: so many extents given for so many others. */
  private record Chunk(int given, int taken, long end) {}

  Outcome exchange(Domain caller, Exchange args) {
    Extents.requireSingleShot(args.startExtent());
    long done = args.nrExchanged();
    List<Mfn> found = new ArrayList<>();
    try {
      requireShape(caller, args);
      long wanted = args.in().wanted();
      if (done == wanted) {
        return Outcome.returning(new Exchanged(done, new ExtentList(found)));
      }
      requireLists(args);
      long end = Extents.highestFrame(args.out().memFlags().value(), allocator);
      Domain domain = domains.any(caller, args.in().domid());
      Privilege.TARGET.demand(caller, domain);
      Chunk chunk = chunk(args, end);
      Steps steps = continuations.begin(caller);
      // A number of extents that is not of whole chunks begins with the chunk that it is in.
      for (long i = done / chunk.given; i < wanted / chunk.given; i++) {
        found.addAll(exchangeChunk(domain, args, chunk, i));
        done = (i + 1) * chunk.given;
        if (steps.handled((long) chunk.given << args.in().extentOrder()) && done < wanted) {
          return Outcome.preempted(
              args.exchanged(done), new Exchanged(done, new ExtentList(found)));
        }
      }
      steps.finish();
      return Outcome.returning(new Exchanged(wanted, new ExtentList(found)));
    } catch (Refusal refusal) {
      throw refusal.returning(new Exchanged(done, new ExtentList(found)));
    }
  }

  private static void requireShape(Domain caller, Exchange args) {
    int maxOrder = Extents.maxOrder(caller);
    if (Long.compareUnsigned(args.in().extentOrder(), maxOrder) > 0
        || Long.compareUnsigned(args.out().extentOrder(), maxOrder) > 0) {
      throw Refusal.of(Errno.EPERM, "extents of more than 2^%d frames", maxOrder);
    }
    if (Long.compareUnsigned(args.nrExchanged(), args.in().wanted()) > 0
        || !args.in().domid().equals(args.out().domid())
        || args.in().overflows()
        || args.out().overflows()
        || args.in().frames() != args.out().frames()) {
      throw Refusal.of(
          Errno.EINVAL,
          "%d frames for %d of %s and %s, %d extents exchanged",
          args.in().frames(),
          args.out().frames(),
          args.in().domid(),
          args.out().domid(),
          args.nrExchanged());
    }
  }

  private static void requireLists(Exchange args) {
    if (args.in().extentStart().count() < args.in().wanted()
        || args.out().extentStart().count() < args.out().wanted()) {
      throw Refusal.of(Errno.EFAULT, "a list is shorter than its extents");
    }
  }

  private static Chunk chunk(Exchange args, long end) {
    int larger = (int) (args.out().extentOrder() - args.in().extentOrder());
    return new Chunk(1 << Math.max(0, larger), 1 << Math.max(0, -larger), end);
  }

  private List<Mfn> exchangeChunk(Domain domain, Exchange args, Chunk chunk, long index) {
    if (mayExchangePages(domain)) {
      return exchangePages(domain, args, chunk, index);
    }
    List<Long> given = new ArrayList<>();
    for (int j = 0; j < chunk.given; j++) {
      long first = args.in().extentStart().at(index * chunk.given + j);
      for (long k = 0; k < 1L << args.in().extentOrder(); k++) {
        given.add(steal(domain, first + k));
      }
    }
    requireDistinct(given);
    int order = (int) args.out().extentOrder();
    List<Mfn> found = new ArrayList<>();
    for (long mfn : exchange(domain, given, order, chunk.end)) {
      domain.facets().gained(new FrameRun(mfn, 1L << order), SyncHook.EXCHANGE);
      long gfn = args.out().extentStart().at(index * chunk.taken + found.size());
      allocator.frames().setM2p(mfn, order, gfn);
      found.add(new Mfn(mfn));
    }
    return found;
  }

  /** As on ia64, for kernels that tell devices machine addresses of guest frames. */
  private static boolean mayExchangePages(Domain domain) {
    return domain.physicalMap().isPresent()
        && domain
            .facet(DomainDma.class)
            .chosen()
            .filter(mode -> mode != DmaMode.IDENTITY)
            .isPresent();
  }

  private List<Mfn> exchangePages(Domain domain, Exchange args, Chunk chunk, long index) {
    List<Gfn> given = new ArrayList<>();
    for (int j = 0; j < chunk.given; j++) {
      long first = args.in().extentStart().at(index * chunk.given + j);
      for (long k = 0; k < 1L << args.in().extentOrder(); k++) {
        given.add(new Gfn(first + k));
      }
    }
    List<Gfn> starts = new ArrayList<>();
    for (int j = 0; j < chunk.taken; j++) {
      starts.add(new Gfn(args.out().extentStart().at(index * chunk.taken + j)));
    }
    return new PageExchange(domain, allocator.frames())
        .exchange(given, (int) args.out().extentOrder(), starts, chunk.end).stream()
            .map(Mfn::new)
            .toList();
  }

  /** Devices let go of the frames before somebody else can get them. */
  private static List<Long> exchange(Domain domain, List<Long> given, int order, long end) {
    given.forEach(mfn -> domain.facets().losing(new FrameRun(mfn, 1), SyncHook.EXCHANGE));
    try {
      return domain.reservation().exchange(given, order, end);
    } catch (Refusal refusal) {
      given.forEach(mfn -> domain.facets().gained(new FrameRun(mfn, 1), SyncHook.EXCHANGE));
      throw refusal;
    }
  }

  /** The frame, if it can be taken from the domain; nothing changes yet. */
  private long steal(Domain domain, long gmfn) {
    if (domain.physicalMap().isPresent()) {
      P2mLookup found = domain.physicalMap().get().obtainUnshared(new Gfn(gmfn));
      if (found.type() == P2mType.RAM_SHARED) {
        throw Refusal.of(Errno.ENOMEM, "guest frame 0x%x of %s stays shared", gmfn, domain.id());
      }
      if (!found.mfn().isValid()) {
        throw Refusal.of(Errno.EINVAL, "guest frame 0x%x of %s has no frame", gmfn, domain.id());
      }
      throw Refusal.of(Errno.EOPNOTSUPP, "%s is translated", domain.id());
    }
    FrameTable frames = allocator.frames();
    if (!frames.contains(gmfn)
        || !domain.reservation().owns(gmfn)
        || frames.references(gmfn) != 1
        || frames.typeReferences(gmfn) != 0) {
      throw Refusal.of(Errno.EINVAL, "frame 0x%x is not exclusively %s's", gmfn, domain.id());
    }
    return gmfn;
  }

  private static void requireDistinct(List<Long> given) {
    if (given.stream().distinct().count() != given.size()) {
      throw Refusal.of(Errno.EINVAL, "a frame is given twice");
    }
  }
}
