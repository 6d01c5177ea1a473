package io.hypercalld.api.machine;

import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.p2m.SyncHook;
import io.hypercalld.core.transaction.Transaction;
import io.hypercalld.iommu.driver.DomainIommu;
import io.hypercalld.iommu.driver.FlushPolicy;
import java.util.Optional;
import java.util.Set;

/**
 * Has a domain follow other policies, all of them or none; what is left out stays as it is.
 *
 * <ul>
 *   <li>{@code EOPNOTSUPP} the domain has no IOMMU, or is PV
 *   <li>{@code EBUSY} what a policy is about is in use
 * </ul>
 *
 * @param claims what it makes of the page type that servers claim
 * @param devices what it tells its devices, which are switched over
 * @param hooks the kinds of changes of its memory that its devices follow
 * @param flush when units are told of what changes in its DMA tables
 */
public record ChooseDomainPolicies(
    DomainId domain,
    ClaimChoices claims,
    DmaChoices devices,
    Optional<Set<SyncHook>> hooks,
    Optional<FlushPolicy> flush)
    implements MachineCommand<Domain> {
  public ChooseDomainPolicies {
    hooks = hooks.map(Set::copyOf);
  }

  /** Other policies of the page type that servers claim. */
  public static ChooseDomainPolicies of(DomainId domain, ClaimChoices claims) {
    return new ChooseDomainPolicies(
        domain, claims, DmaChoices.NONE, Optional.empty(), Optional.empty());
  }

  /** Only these kinds of changes to be followed. */
  public static ChooseDomainPolicies of(DomainId domain, Set<SyncHook> hooks) {
    return new ChooseDomainPolicies(
        domain, ClaimChoices.NONE, DmaChoices.NONE, Optional.of(hooks), Optional.empty());
  }

  @Override
  public Domain execute(Machine machine) {
    Domain found = machine.hypervisor().domains().byId(domain);
    Optional<DomainIommu> iommu = found.findFacet(DomainIommu.class);
    if (iommu.isEmpty() && (hooks.isPresent() || flush.isPresent())) {
      throw Refusal.of(Errno.EOPNOTSUPP, "%s has no IOMMU", domain);
    }
    Transaction.run(
        steps -> {
          claims.applyTo(steps, found);
          devices.applyTo(steps, machine, found);
          return found;
        });
    hooks.ifPresent(wanted -> iommu.orElseThrow().setHooks(wanted));
    flush.ifPresent(wanted -> iommu.orElseThrow().flushing().choose(wanted));
    return found;
  }
}
