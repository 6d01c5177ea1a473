package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.domain.DomainTable;
import io.hypercalld.core.domain.Privilege;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;

/**
 * Finds the domain that a call is about and asks whether the caller may make it. Confined to the
 * machine thread.
 */
public final class Targets {
  private final DomainTable domains;

  public Targets(DomainTable domains) {
    this.domains = domains;
  }

  /**
   * For the domctl calls of control domains.
   *
   * @throws Refusal ESRCH; EPERM to anybody else
   */
  Domain privileged(Domain caller, DomainId id) {
    return asDomctl(caller, id, Privilege.PRIV);
  }

  /**
   * As {@link #privileged}, another domain than the caller.
   *
   * @throws Refusal ESRCH; EPERM; EINVAL itself
   */
  Domain other(Domain caller, DomainId id) {
    Domain domain = privileged(caller, id);
    if (domain == caller) {
      throw Refusal.of(Errno.EINVAL, "%s cannot do this to itself", id);
    }
    return domain;
  }

  /**
   * For the domctl calls that ask for less.
   *
   * @throws Refusal ESRCH; EPERM
   */
  Domain asDomctl(Domain caller, DomainId id, Privilege privilege) {
    Domain domain = domains.forDomctl(caller, id);
    privilege.demand(caller, domain);
    return domain;
  }

  /**
   * For dm_op: another domain, translated, to which the caller is a device model.
   *
   * @throws Refusal ESRCH; EPERM its own id, or no device model; EINVAL a PV domain
   */
  public Domain modelled(Domain caller, DomainId id) {
    Domain domain = domains.remote(caller, id);
    if (!domain.type().isTranslated()) {
      throw Refusal.of(Errno.EINVAL, "%s has no device model, being PV", id);
    }
    Privilege.DM_PRIV.demand(caller, domain);
    return domain;
  }
}
