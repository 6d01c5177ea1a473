package io.hypercalld.core.hypercall;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.CallCounters;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.domain.DomainSettings;
import io.hypercalld.core.domain.DomainTable;
import io.hypercalld.core.domain.Privilege;
import io.hypercalld.core.domain.Reservation;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.FrameTable;
import io.hypercalld.core.memory.FrameUse;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.memory.PagingPool;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mLookup;
import io.hypercalld.core.p2m.P2mTable;
import io.hypercalld.core.p2m.P2mType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The domctl hypercalls that concern a domain as such. Confined to the machine thread.
 *
 * <p>Arguments and errnos are said where each call's record is.
 *
 * @see "xen/common/domctl.c, do_domctl"
 */
public final class DomainCalls {
  private static final int PAGES_PER_KIB_SHIFT = 2;
  private static final int MAX_PAGE_FRAMES = 1024;
  private static final Word PFINFO_NOTAB = new Word(0);
  private static final Word PFINFO_XTAB = new Word(0xf000_0000L);
  private static final Word PFINFO_BROKEN = new Word(0xd000_0000L);

  private final DomainTable domains;
  private final FrameTable frames;
  private final CallCounters counters;

  public DomainCalls(DomainTable domains, FrameTable frames, CallCounters counters) {
    this.domains = domains;
    this.frames = frames;
    this.counters = counters;
  }

  public Outcome createDomain(DomainId caller, CreateDomain args) {
    Domain by = domains.caller(caller);
    Privilege.PRIV.demand(by, by);
    DomainId id = domains.choose(args.domain());
    DomainSettings settings = DomainChecks.check(args, domains.host());
    domains.create(args.domain(), settings);
    return Outcome.returning(new NewDomain(id));
  }

  public Outcome destroyDomain(DomainId caller, DestroyDomain args) {
    Domain by = domains.caller(caller);
    Domain domain = other(by, args.domain());
    Steps steps = new Steps(counters, by.calls());
    domains.beginDestruction(domain);
    while (!domains.continueDestruction(domain)) {
      steps.next();
    }
    steps.finish();
    return Outcome.done();
  }

  public Outcome pauseDomain(DomainId caller, PauseDomain args) {
    other(domains.caller(caller), args.domain()).pause();
    return Outcome.done();
  }

  public Outcome unpauseDomain(DomainId caller, UnpauseDomain args) {
    privileged(domains.caller(caller), args.domain()).unpause();
    return Outcome.done();
  }

  public Outcome queryDomain(DomainId caller, QueryDomain args) {
    Domain by = domains.caller(caller);
    Domain domain = domains.forDomctl(by, args.domain());
    Privilege.XS_PRIV.demand(by, domain);
    return Outcome.returning(DomainReport.of(domain, frames));
  }

  public Outcome maxMem(DomainId caller, MaxMem args) {
    Domain domain = privileged(domains.caller(caller), args.domain());
    long pages = args.maxMemkb().value() >>> PAGES_PER_KIB_SHIFT;
    domain.reservation().limit(Math.min(pages, Reservation.UNLIMITED));
    return Outcome.done();
  }

  public Outcome maxVcpus(DomainId caller, MaxVcpus args) {
    Domain domain = other(domains.caller(caller), args.domain());
    if (args.max() != domain.maxVcpus()) {
      throw Refusal.of(Errno.EINVAL, "%s was created for %d vCPUs", domain.id(), domain.maxVcpus());
    }
    domain.addVcpus(domain.maxVcpus());
    return Outcome.done();
  }

  public Outcome setTarget(DomainId caller, SetTarget args) {
    Domain by = domains.caller(caller);
    Domain domain = domains.forDomctl(by, args.domain());
    Domain target = domains.byId(args.target());
    if (target == domain) {
      throw Refusal.of(Errno.EINVAL, "%s cannot be its own device model", domain.id());
    }
    if (!target.type().isTranslated()) {
      throw Refusal.of(Errno.EOPNOTSUPP, "%s is PV", target.id());
    }
    Privilege.PRIV.demand(by, domain);
    domain.serve(target);
    return Outcome.done();
  }

  public Outcome getPageFrameTypes(DomainId caller, GetPageFrameTypes args) {
    Domain domain = privileged(domains.caller(caller), args.domain());
    long count = args.num().map(Word::value).orElseGet(args.array()::count);
    if (Long.compareUnsigned(count, MAX_PAGE_FRAMES) > 0) {
      throw Refusal.of(Errno.E2BIG, "more than %d frames", MAX_PAGE_FRAMES);
    }
    if (args.array().count() < count) {
      throw Refusal.of(Errno.EFAULT, "the array is shorter than %d", count);
    }
    List<Word> types = new ArrayList<>();
    for (long i = 0; i < count; i++) {
      types.add(pageFrameType(domain, args.array().at(i)));
    }
    return Outcome.returning(new PageFrameTypes(types));
  }

  private Word pageFrameType(Domain domain, long number) {
    Optional<P2mTable> p2m = domain.findP2m();
    if (p2m.isEmpty()) {
      boolean own = frames.contains(number) && domain.reservation().owns(number);
      return own ? PFINFO_NOTAB : PFINFO_XTAB;
    }
    P2mLookup found = p2m.get().lookup(new Gfn(number));
    if (found.type() == P2mType.RAM_BROKEN) {
      return PFINFO_BROKEN;
    }
    boolean page =
        P2mType.RAM.contains(found.type())
            && frames.contains(found.mfn().value())
            && frames.use(found.mfn().value()) != FrameUse.SPECIAL;
    return page ? PFINFO_NOTAB : PFINFO_XTAB;
  }

  public Outcome getPagingMempoolSize(DomainId caller, GetPagingMempoolSize args) {
    PagingPool pool = pool(privileged(domains.caller(caller), args.domain()));
    return Outcome.returning(new PagingMempool(new Word(pool.totalPages() << PageSize.SHIFT_4K)));
  }

  public Outcome setPagingMempoolSize(DomainId caller, SetPagingMempoolSize args) {
    PagingPool pool = pool(privileged(domains.caller(caller), args.domain()));
    long bytes = args.size().value();
    long pages = bytes >>> PageSize.SHIFT_4K;
    if ((bytes & (PageSize.BYTES_4K - 1)) != 0 || pages > Integer.MAX_VALUE) {
      throw Refusal.of(Errno.EINVAL, "no paging pool has 0x%x bytes", bytes);
    }
    pool.resize(pages);
    return Outcome.done();
  }

  private static PagingPool pool(Domain domain) {
    return domain
        .pagingPool()
        .orElseThrow(() -> Refusal.of(Errno.EOPNOTSUPP, "%s has no paging pool", domain.id()));
  }

  private Domain privileged(Domain caller, DomainId id) {
    Domain domain = domains.forDomctl(caller, id);
    Privilege.PRIV.demand(caller, domain);
    return domain;
  }

  private Domain other(Domain caller, DomainId id) {
    Domain domain = privileged(caller, id);
    if (domain == caller) {
      throw Refusal.of(Errno.EINVAL, "%s cannot do this to itself", id);
    }
    return domain;
  }
}
