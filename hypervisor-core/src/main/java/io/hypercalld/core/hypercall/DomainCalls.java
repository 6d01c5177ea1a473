package io.hypercalld.core.hypercall;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.domain.DomainSettings;
import io.hypercalld.core.domain.DomainTable;
import io.hypercalld.core.domain.Privilege;
import io.hypercalld.core.domain.Reservation;
import io.hypercalld.core.domain.Variation;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.FrameTable;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.memory.PagingPool;

/**
 * The domctl hypercalls that concern a domain as such. Confined to the machine thread.
 *
 * <p>Arguments and errnos are said where each call's record is.
 *
 * @see "xen/common/domctl.c, do_domctl"
 */
public final class DomainCalls {
  private static final int PAGES_PER_KIB_SHIFT = 2;

  private final DomainTable domains;
  private final FrameTable frames;
  private final Targets targets;
  private final Continuations continuations;

  public DomainCalls(DomainTable domains, FrameTable frames, Continuations continuations) {
    this.domains = domains;
    this.targets = new Targets(domains);
    this.frames = frames;
    this.continuations = continuations;
  }

  public Outcome createDomain(DomainId caller, CreateDomain args) {
    return createDomain(caller, args, Variation.NONE.withMost(domains.vcpuLimit().ofHypercalls()));
  }

  /** As the hypercall, which has no place for the variation. */
  public Outcome createDomain(DomainId caller, CreateDomain args, Variation variation) {
    Domain by = domains.caller(caller);
    Privilege.PRIV.demand(by, by);
    DomainId id = domains.choose(args.domain());
    DomainSettings settings = DomainChecks.check(args, domains.host(), variation);
    domains.create(args.domain(), settings);
    return Outcome.returning(new NewDomain(id));
  }

  public Outcome destroyDomain(DomainId caller, DestroyDomain args) {
    Domain by = domains.caller(caller);
    Domain domain = targets.other(by, args.domain());
    Steps steps = continuations.begin(by);
    domains.beginDestruction(domain);
    while (!domains.continueDestruction(domain)) {
      if (steps.next()) {
        return Outcome.preempted(args);
      }
    }
    steps.finish();
    return Outcome.done();
  }

  public Outcome pauseDomain(DomainId caller, PauseDomain args) {
    targets.other(domains.caller(caller), args.domain()).run().pause();
    return Outcome.done();
  }

  public Outcome unpauseDomain(DomainId caller, UnpauseDomain args) {
    targets.privileged(domains.caller(caller), args.domain()).run().unpause();
    return Outcome.done();
  }

  public Outcome queryDomain(DomainId caller, QueryDomain args) {
    Domain by = domains.caller(caller);
    Domain domain = domains.forDomctl(by, args.domain());
    Privilege.XS_PRIV.demand(by, domain);
    return Outcome.returning(DomainReport.of(domain, frames));
  }

  public Outcome maxMem(DomainId caller, MaxMem args) {
    Domain domain = targets.privileged(domains.caller(caller), args.domain());
    long pages = args.maxMemkb().value() >>> PAGES_PER_KIB_SHIFT;
    domain.reservation().limit(Math.min(pages, Reservation.UNLIMITED));
    return Outcome.done();
  }

  public Outcome maxVcpus(DomainId caller, MaxVcpus args) {
    Domain domain = targets.other(domains.caller(caller), args.domain());
    if (args.max() != domain.settings().maxVcpus()) {
      throw Refusal.of(
          Errno.EINVAL, "%s was created for %d vCPUs", domain.id(), domain.settings().maxVcpus());
    }
    domain.addVcpus(domain.settings().maxVcpus());
    return Outcome.done();
  }

  public Outcome setTarget(DomainId caller, SetTarget args) {
    Domain by = domains.caller(caller);
    Domain domain = targets.privileged(by, args.domain());
    Domain target = domains.byId(args.target());
    if (target == domain) {
      throw Refusal.of(Errno.EINVAL, "%s cannot be its own device model", domain.id());
    }
    if (!target.type().isTranslated()) {
      throw Refusal.of(Errno.EOPNOTSUPP, "%s is PV", target.id());
    }
    domain.serve(target);
    return Outcome.done();
  }

  public Outcome getPagingMempoolSize(DomainId caller, GetPagingMempoolSize args) {
    PagingPool pool = pool(targets.privileged(domains.caller(caller), args.domain()));
    return Outcome.returning(new PagingMempool(new Word(pool.totalPages() << PageSize.SHIFT_4K)));
  }

  public Outcome setPagingMempoolSize(DomainId caller, SetPagingMempoolSize args) {
    Domain by = domains.caller(caller);
    PagingPool pool = pool(targets.privileged(by, args.domain()));
    long bytes = args.size().value();
    long pages = bytes >>> PageSize.SHIFT_4K;
    if ((bytes & (PageSize.BYTES_4K - 1)) != 0 || pages > Integer.MAX_VALUE) {
      throw Refusal.of(Errno.EINVAL, "no paging pool has 0x%x bytes", bytes);
    }
    Steps steps = continuations.begin(by);
    pool.requireResizable(pages);
    while (!pool.resize(pages, Steps.PAGES)) {
      if (steps.handled(Steps.PAGES)) {
        return Outcome.preempted(args);
      }
    }
    steps.finish();
    return Outcome.done();
  }

  private static PagingPool pool(Domain domain) {
    return domain
        .memory()
        .pagingPool()
        .orElseThrow(() -> Refusal.of(Errno.EOPNOTSUPP, "%s has no paging pool", domain.id()));
  }
}
