package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.domain.DomainTable;
import io.hypercalld.core.domain.PopulateOnDemand;
import io.hypercalld.core.domain.Privilege;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import java.util.OptionalLong;

/**
 * The operations on what a domain has to populate its memory from. Confined to the machine thread.
 *
 * @see "xen/arch/x86/mm.c, arch_memory_op"
 */
public final class PodCalls {
  private final DomainTable domains;
  private final Continuations continuations;

  PodCalls(DomainTable domains, Continuations continuations) {
    this.domains = domains;
    this.continuations = continuations;
  }

  public Outcome setTarget(DomainId caller, SetPodTarget args) {
    Domain by = domains.caller(caller);
    Domain domain = target(by, args.domid(), args.startExtent());
    if (Long.compareUnsigned(args.targetPages(), domain.reservation().maxPages()) > 0) {
      throw Refusal.of(
          Errno.EINVAL,
          "%s may have %d pages at most",
          domain.id(),
          domain.reservation().maxPages());
    }
    PopulateOnDemand pod = domain.features().populateOnDemand();
    OptionalLong cache = pod.cacheFor(args.targetPages());
    Steps steps = continuations.begin(by);
    long moved = cache.isPresent() ? pod.approach(cache.getAsLong()) : 0;
    while (moved > 0) {
      if (steps.handled(moved) && pod.cachedPages() != cache.getAsLong()) {
        return Outcome.preempted(args);
      }
      moved = pod.approach(cache.getAsLong());
    }
    steps.finish();
    return Outcome.returning(report(domain));
  }

  public Outcome getTarget(DomainId caller, GetPodTarget args) {
    return Outcome.returning(
        report(target(domains.caller(caller), args.domid(), args.startExtent())));
  }

  private Domain target(Domain caller, DomainId id, long startExtent) {
    if (startExtent != 0) {
      throw Refusal.of(Errno.EINVAL, "there is one extent: it cannot begin at %d", startExtent);
    }
    Domain domain = domains.any(caller, id);
    if (!domain.type().isTranslated()) {
      throw Refusal.of(Errno.EINVAL, "%s is PV", domain.id());
    }
    Privilege.PRIV.demand(caller, domain);
    return domain;
  }

  private static PodTarget report(Domain domain) {
    PopulateOnDemand pod = domain.features().populateOnDemand();
    return new PodTarget(domain.reservation().totalPages(), pod.cachedPages(), pod.entries());
  }
}
