package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.domain.DomainTable;
import io.hypercalld.core.domain.Privilege;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mAccess;
import io.hypercalld.core.p2m.P2mLookup;
import io.hypercalld.core.p2m.P2mTable;

/**
 * A monitor's operations. Confined to the machine thread.
 *
 * @see "xen/common/mem_access.c, mem_access_memop; xen/arch/x86/mm/mem_access.c"
 */
public final class AccessCalls {
  private static final int SET = 0;
  private static final int GET = 1;
  private static final int SET_MULTI = 4;
  private static final int DEFAULT = 11;

  private final DomainTable domains;
  private final Continuations continuations;

  AccessCalls(DomainTable domains, Continuations continuations) {
    this.domains = domains;
    this.continuations = continuations;
  }

  public Outcome setRequired(DomainId caller, SetAccessRequired args) {
    Domain by = domains.caller(caller);
    Domain domain = domains.forDomctl(by, args.domain());
    Privilege.PRIV.demand(by, domain);
    if (domain == by) {
      throw Refusal.of(Errno.EPERM, "%s cannot watch itself", domain.id());
    }
    if (domain.type().isTranslated()) {
      domain.features().access().require(args.accessRequired() != 0);
    }
    return Outcome.done();
  }

  public Outcome access(DomainId caller, AccessOp args) {
    Domain by = domains.caller(caller);
    Domain domain = domains.liveRemote(by, args.domid());
    if (!domain.type().isTranslated() || !domain.settings().hasHap()) {
      throw Refusal.of(Errno.EINVAL, "%s has no hardware-assisted paging", domain.id());
    }
    Privilege.DM_PRIV.demand(by, domain);
    if (!domain.features().access().isMonitored()) {
      throw Refusal.of(Errno.ENODEV, "no monitor listens to %s", domain.id());
    }
    if (args.op() == SET) {
      return set(by, domain, args);
    }
    if (args.op() == GET) {
      return get(domain.p2m(), args);
    }
    if (args.op() == SET_MULTI) {
      return setSeveral(by, domain, args);
    }
    throw Refusal.of(Errno.ENOSYS, "there is no operation %d", args.op());
  }

  private Outcome set(Domain by, Domain domain, AccessOp args) {
    P2mTable p2m = domain.p2m();
    boolean all = args.pfn().equals(Gfn.INVALID);
    if (!all) {
      requireRange(p2m, args);
    }
    P2mAccess access = access(p2m, args.access());
    if (all) {
      p2m.setDefaultAccess(access);
      return Outcome.done();
    }
    Steps steps = continuations.begin(by);
    for (long done = args.startExtent(); done < args.nr(); done++) {
      domain.features().access().restrict(args.pfn().plus(done), access);
      if (steps.handled(1) && done + 1 < args.nr()) {
        return Outcome.preempted(args.startingAt(done + 1));
      }
    }
    steps.finish();
    return Outcome.done();
  }

  private static void requireRange(P2mTable p2m, AccessOp args) {
    long last = args.pfn().value() + args.nr() - 1;
    if (args.nr() < args.startExtent()
        || Long.compareUnsigned(last, args.pfn().value()) < 0
        || Long.compareUnsigned(last, p2m.maxMappedGfn().value()) > 0) {
      throw Refusal.of(
          Errno.EINVAL,
          "%d guest frames from %s do not end by %s",
          args.nr(),
          args.pfn(),
          p2m.maxMappedGfn());
    }
  }

  private static P2mAccess access(P2mTable p2m, long number) {
    if (number > DEFAULT) {
      throw Refusal.of(Errno.EINVAL, "there is no access %d", number);
    }
    return number == DEFAULT ? p2m.defaultAccess() : P2mAccess.ofNumber((int) number);
  }

  private static Outcome get(P2mTable p2m, AccessOp args) {
    if (args.startExtent() != 0) {
      throw Refusal.of(Errno.ENOSYS, "there is one page: it cannot begin elsewhere");
    }
    if (args.pfn().equals(Gfn.INVALID)) {
      return Outcome.returning(new PageAccess(p2m.defaultAccess().number()));
    }
    if (Long.compareUnsigned(args.pfn().value(), p2m.maxMappedGfn().value()) > 0) {
      throw Refusal.of(Errno.EINVAL, "%s is beyond %s", args.pfn(), p2m.maxMappedGfn());
    }
    P2mLookup found = p2m.lookup(args.pfn());
    if (!found.mfn().isValid()) {
      throw Refusal.of(Errno.ESRCH, "guest frame %s is %s", args.pfn(), found.type());
    }
    return Outcome.returning(new PageAccess(found.access().number()));
  }

  private Outcome setSeveral(Domain by, Domain domain, AccessOp args) {
    Steps steps = continuations.begin(by);
    for (long done = args.startExtent(); done < args.nr(); done++) {
      if (done >= args.pfnList().count() || done >= args.accessList().size()) {
        throw Refusal.of(Errno.EFAULT, "the lists have no element %d", done);
      }
      long number = args.accessList().get((int) done);
      P2mAccess access = access(domain.p2m(), number);
      domain.features().access().restrict(new Gfn(args.pfnList().at(done)), access);
      if (steps.handled(1) && done + 1 < args.nr()) {
        return Outcome.preempted(args.startingAt(done + 1));
      }
    }
    steps.finish();
    return Outcome.done();
  }
}
