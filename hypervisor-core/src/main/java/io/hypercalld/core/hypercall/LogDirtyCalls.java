package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.domain.DomainTable;
import io.hypercalld.core.domain.LogDirty;
import io.hypercalld.core.domain.Octets;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.memory.PagingPool;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mType;
import java.io.ByteArrayOutputStream;
import java.util.List;
import java.util.Optional;

/**
 * The hypercalls that watch which pages a guest writes. Confined to the machine thread.
 *
 * <p>Arguments and errnos are said where each call's record is.
 *
 * @see "xen/arch/x86/mm/paging.c, paging_domctl; xen/arch/x86/hvm/dm.c"
 */
public final class LogDirtyCalls {
  private static final int OFF = 0;
  private static final int ENABLE_LOGDIRTY = 2;
  private static final int CLEAN = 11;
  private static final int PEEK = 12;
  private static final int GET_ALLOCATION = 30;
  private static final int SET_ALLOCATION = 31;
  private static final int ENABLE = 32;
  private static final long MODE_LOG_DIRTY = 0x4;
  private static final long MODE_FINAL = 0x1;
  private static final int PAGES_PER_MIB_SHIFT = 20 - PageSize.SHIFT_4K;
  private static final int MOST_VRAM_PAGES = 262_144;
  private static final int BUFFERS = 2;
  private static final ShadowReport.Stats NO_STATS = new ShadowReport.Stats(0, 0);

  private final DomainTable domains;
  private final Targets targets;
  private final Continuations continuations;

  public LogDirtyCalls(DomainTable domains, Continuations continuations) {
    this.domains = domains;
    this.targets = new Targets(domains);
    this.continuations = continuations;
  }

  public Outcome shadowOp(DomainId caller, ShadowOp args) {
    Domain by = domains.caller(caller);
    Domain domain = targets.other(by, args.domain());
    if (domain.isDying() || domain.run().vcpus() == 0) {
      throw Refusal.of(Errno.EINVAL, "%s is dying or has no vCPU", domain.id());
    }
    return switch (Math.clamp(args.op(), -1, Integer.MAX_VALUE)) {
      case ENABLE -> enable(by, domain, (args.mode() & MODE_LOG_DIRTY) != 0);
      case ENABLE_LOGDIRTY -> enable(by, domain, true);
      case OFF -> disable(by, domain, args);
      case CLEAN, PEEK -> read(by, domain, args);
      case GET_ALLOCATION -> allocation(pool(domain));
      case SET_ALLOCATION -> resize(pool(domain), args.mb());
      default -> throw Refusal.of(Errno.EINVAL, "there is no shadow operation %d", args.op());
    };
  }

  private static Outcome enable(Domain by, Domain domain, boolean logDirty) {
    if (!logDirty) {
      throw Refusal.of(Errno.EINVAL, "only log_dirty can be enabled");
    }
    domain.logDirty().enter(by.id(), ENABLE);
    if (domain.facets().hasDevices()) {
      throw Refusal.of(
          Errno.EINVAL,
          "%s has devices, whose writes nobody sees%s",
          domain.id(),
          domain.logDirty().claimVeto().map(also -> "; " + also).orElse(""));
    }
    domain.logDirty().enable();
    return Outcome.done();
  }

  private Outcome disable(Domain by, Domain domain, ShadowOp args) {
    LogDirty log = domain.logDirty();
    LogDirty.Progress progress = log.enter(by.id(), OFF);
    log.disable();
    Steps steps = continuations.begin(by);
    while (!log.forget()) {
      if (steps.next()) {
        log.leave(progress);
        return Outcome.preempted(args);
      }
    }
    steps.finish();
    log.end();
    return Outcome.done();
  }

  private Outcome read(Domain by, Domain domain, ShadowOp args) {
    if ((args.mode() & ~MODE_FINAL) != 0) {
      throw Refusal.of(Errno.EINVAL, "mode 0x%x has unknown bits", args.mode());
    }
    LogDirty log = domain.logDirty();
    LogDirty.Progress before = log.enter(by.id(), args.op());
    try {
      log.requireComplete();
    } catch (Refusal refusal) {
      log.end();
      throw refusal;
    }
    return copy(by, domain, args, before);
  }

  /** Page by page of the bitmap; the domain, which is paused, is watched anew at the end. */
  private Outcome copy(Domain by, Domain domain, ShadowOp args, LogDirty.Progress before) {
    LogDirty log = domain.logDirty();
    boolean clean = args.op() == CLEAN;
    long pages = pages(domain, args);
    var stats = new ShadowReport.Stats(log.faultCount(), log.dirtyCount());
    ByteArrayOutputStream bits = new ByteArrayOutputStream();
    Steps steps = continuations.begin(by);
    for (long done = before.done(); done < pages; ) {
      int part = (int) Math.min(LogDirty.FRAMES_PER_STEP, pages - done);
      bits.writeBytes(log.copy(done, part, clean));
      done += part;
      if (done < pages && steps.next()) {
        log.leave(before.at(done));
        return Outcome.preempted(args, report(bits, done, stats));
      }
    }
    steps.finish();
    log.end();
    if (clean) {
      log.rearm();
    }
    return Outcome.returning(report(bits, pages, stats));
  }

  private static long pages(Domain domain, ShadowOp args) {
    long all = domain.findP2m().map(p2m -> p2m.maxMappedGfn().value() + 1).orElse(0L);
    long wanted = args.pages().orElse(all);
    return Math.min(Math.min(wanted < 0 ? all : wanted, all), Integer.MAX_VALUE);
  }

  private static ShadowReport report(
      ByteArrayOutputStream bits, long pages, ShadowReport.Stats stats) {
    return new ShadowReport(new Octets(bits.toByteArray()), pages, 0, stats);
  }

  private static Outcome allocation(PagingPool pool) {
    long mib = (pool.totalPages() + (1 << PAGES_PER_MIB_SHIFT) - 1) >>> PAGES_PER_MIB_SHIFT;
    return Outcome.returning(new ShadowReport(List.of(), 0, mib, NO_STATS));
  }

  private static Outcome resize(PagingPool pool, long mib) {
    if (mib < 0 || mib > Integer.MAX_VALUE) {
      throw Refusal.of(Errno.ENOMEM, "no machine has %d MiB for tables", mib);
    }
    pool.resize(mib << PAGES_PER_MIB_SHIFT);
    return allocation(pool);
  }

  private static PagingPool pool(Domain domain) {
    return domain
        .memory()
        .pagingPool()
        .orElseThrow(() -> Refusal.of(Errno.EOPNOTSUPP, "%s has no paging pool", domain.id()));
  }

  public Outcome modifiedMemory(DomainId caller, ModifiedMemory args) {
    Domain domain = targets.modelled(domains.caller(caller), args.domid());
    long buffers = args.nrBufs().orElse(args.extents().isPresent() ? 2L : 1L);
    if (buffers != BUFFERS) {
      throw Refusal.of(Errno.EINVAL, "%d buffers, two are due", buffers);
    }
    if (!domain.logDirty().isEnabled()) {
      return Outcome.done();
    }
    List<ModifiedMemory.Extent> extents = args.extents().orElse(List.of());
    long left = args.nrExtents().orElse((long) extents.size());
    if (left < 0 || extents.size() < left) {
      throw Refusal.of(Errno.EINVAL, "%d extents, not %d", extents.size(), left);
    }
    Steps steps = continuations.begin(domains.caller(caller));
    long done = args.opaque();
    for (; left > 0; left--) {
      ModifiedMemory.Extent extent = extents.get((int) left - 1);
      long end = markModified(domain, extent, done, steps);
      if (end < extent.nr()) {
        return Outcome.preempted(
            new ModifiedMemory(
                args.domid(), Optional.of(left), end, Optional.of(buffers), args.extents()));
      }
      done = 0;
    }
    steps.finish();
    return Outcome.done();
  }

  /** Answers how many pages of the extent are done: all, unless the operation has to stop. */
  private static long markModified(
      Domain domain, ModifiedMemory.Extent extent, long done, Steps steps) {
    long first = extent.firstPfn().value();
    long end = first + extent.nr();
    // The end may not be the highest guest frame plus one: so is Xen's comparison.
    boolean within =
        Long.compareUnsigned(end, first) > 0
            && Long.compareUnsigned(end, domain.p2m().maxMappedGfn().value()) <= 0;
    if (extent.pad() != 0 || !within || Long.compareUnsigned(done, extent.nr()) >= 0) {
      throw Refusal.of(
          Errno.EINVAL, "%d pages from %s on cannot be modified", extent.nr(), extent.firstPfn());
    }
    for (long i = done; i < extent.nr(); i++) {
      markModified(domain, extent.firstPfn().plus(i));
      if (steps.handled(1) && i + 1 < extent.nr()) {
        return i + 1;
      }
    }
    return extent.nr();
  }

  private static void markModified(Domain domain, Gfn gfn) {
    P2mType type = domain.physicalMap().orElseThrow().obtainUnshared(gfn).type();
    if (P2mType.RAM.contains(type) && !P2mType.PAGING.contains(type)) {
      domain.logDirty().markDirty(gfn);
    }
  }

  public Outcome trackDirtyVram(DomainId caller, TrackDirtyVram args) {
    Domain domain = targets.modelled(domains.caller(caller), args.domid());
    if (args.pad() != 0 || args.nrBufs() < BUFFERS) {
      throw Refusal.of(Errno.EINVAL, "pad is not 0, or there is no buffer for the bitmap");
    }
    if (args.nr() < 0 || args.nr() > MOST_VRAM_PAGES) {
      throw Refusal.of(Errno.EINVAL, "a display has at most %d pages", MOST_VRAM_PAGES);
    }
    if (domain.isDying()) {
      throw Refusal.of(Errno.ESRCH, "%s is dying", domain.id());
    }
    if (domain.run().vcpus() == 0) {
      throw Refusal.of(Errno.EINVAL, "%s has no vCPU", domain.id());
    }
    int pages = (int) args.nr();
    int bytes = (pages + Byte.SIZE - 1) / Byte.SIZE;
    if (args.bitmapSize().orElse((long) bytes) < bytes) {
      throw Refusal.of(Errno.EINVAL, "%d pages need a bitmap of %d bytes", pages, bytes);
    }
    return Outcome.returning(new DirtyVram(domain.logDirty().track(args.firstPfn(), pages)));
  }
}
