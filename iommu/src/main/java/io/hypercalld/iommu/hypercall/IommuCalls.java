package io.hypercalld.iommu.hypercall;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.domain.DomainTable;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.hypercall.Outcome;
import io.hypercalld.core.p2m.DmaPermission;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.iommu.driver.DeviceMapping;
import io.hypercalld.iommu.driver.GuestContext;
import io.hypercalld.iommu.driver.GuestContexts;
import io.hypercalld.iommu.driver.IommuApi;
import io.hypercalld.iommu.driver.PageRun;

/**
 * Carries out {@code iommu_op} as of 2024: a domain fills contexts for its devices. Confined to the
 * machine thread.
 *
 * @see "spec/documents.md S1-D22"
 */
public final class IommuCalls {
  private static final int MOST_PAGES = 256;
  private static final long IOVA_FRAMES = 1L << 27;
  private static final long LAST_IOVA = (IOVA_FRAMES << 12) - 1;
  private static final long READABLE = 1;
  private static final long WRITEABLE = 2;
  private static final long REATTACH_DEFAULT = 1;

  private final DomainTable domains;

  public IommuCalls(DomainTable domains) {
    this.domains = domains;
  }

  /** See {@link QueryCapabilities}. */
  public Outcome queryCapabilities(DomainId caller, QueryCapabilities args) {
    int most = contexts(caller).most();
    return Outcome.returning(
        new QueryCapabilities.Abilities(most, MOST_PAGES, new Word(LAST_IOVA)));
  }

  /** See {@link AllocContext}. */
  public Outcome allocContext(DomainId caller, AllocContext args) {
    return Outcome.returning(new AllocContext.Allocated(contexts(caller).allocate()));
  }

  /** See {@link FreeContext}. */
  public Outcome freeContext(DomainId caller, FreeContext args) {
    GuestContexts contexts = contexts(caller);
    requireFlags(args.flags(), REATTACH_DEFAULT);
    contexts.free(args.ctxNo(), args.flags() != 0);
    return Outcome.done();
  }

  /** See {@link ReattachDevice}. */
  public Outcome reattachDevice(DomainId caller, ReattachDevice args) {
    contexts(caller).reattach(args.machineSbdf(), args.ctxNo());
    return Outcome.done();
  }

  /** See {@link MapPages}. */
  public Outcome mapPages(DomainId caller, MapPages args) {
    GuestContexts contexts = contexts(caller);
    requirePages(args.nrPages());
    GuestContext context = contexts.require(args.ctxNo());
    DmaPermission permission = permission(args.flags());
    requireReach(args.dfn(), args.nrPages());
    PageRun run = new PageRun(args.gfn(), args.dfn(), args.nrPages());
    GuestContexts.Progress came = contexts.map(context, run, permission);
    context.flush();
    MapPages.Progress progress = new MapPages.Progress(came.pages());
    came.end()
        .ifPresent(
            end -> {
              throw end.returning(progress);
            });
    return Outcome.returning(progress);
  }

  /** See {@link UnmapPages}. */
  public Outcome unmapPages(DomainId caller, UnmapPages args) {
    GuestContexts contexts = contexts(caller);
    requirePages(args.nrPages());
    GuestContext context = contexts.require(args.ctxNo());
    long unmapped = context.unmap(args.dfn(), args.nrPages());
    context.flush();
    UnmapPages.Progress progress = new UnmapPages.Progress(unmapped);
    if (unmapped < args.nrPages()) {
      throw Refusal.of(Errno.ENOENT, "nothing is mapped at 0x%x", args.dfn().value() + unmapped)
          .returning(progress);
    }
    return Outcome.returning(progress);
  }

  /** See {@link LookupPage}. */
  public Outcome lookupPage(DomainId caller, LookupPage args) {
    GuestContext context = contexts(caller).require(args.ctxNo());
    DeviceMapping found = context.require(args.dfn());
    return Outcome.returning(new LookupPage.Found(found.gfn()));
  }

  private GuestContexts contexts(DomainId caller) {
    Domain domain = domains.caller(caller);
    GuestContexts contexts =
        domain
            .findFacet(GuestContexts.class)
            .filter(GuestContexts::isAllowed)
            .orElseThrow(
                () -> Refusal.of(Errno.EPERM, "%s maps nothing for devices itself", domain.id()));
    if (contexts.api() != IommuApi.CONTEXTS) {
      throw Refusal.of(Errno.ENOSYS, "%s has the iommu_op of %s", domain.id(), contexts.api());
    }
    return contexts;
  }

  private static DmaPermission permission(long flags) {
    requireFlags(flags, READABLE | WRITEABLE);
    if (flags == 0) {
      throw Refusal.of(Errno.EINVAL, "pages are to be neither readable nor writeable");
    }
    return DmaPermission.of((flags & READABLE) != 0, (flags & WRITEABLE) != 0);
  }

  private static void requireFlags(long flags, long known) {
    if ((flags & ~known) != 0) {
      throw Refusal.of(Errno.EINVAL, "unknown flags 0x%x", flags & ~known);
    }
  }

  private static void requirePages(long pages) {
    if (pages < 0 || pages > MOST_PAGES) {
      throw Refusal.of(Errno.E2BIG, "%d pages are more than %d", pages, MOST_PAGES);
    }
  }

  private static void requireReach(Gfn dfn, long pages) {
    if (dfn.value() < 0 || dfn.value() > IOVA_FRAMES - pages) {
      throw Refusal.of(Errno.EINVAL, "frame 0x%x is beyond 2^39 bytes", dfn.value() + pages - 1);
    }
  }
}
