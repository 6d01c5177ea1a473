package io.hypercalld.api.machine;

import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;

/** Has a domain make something else of the page type that servers claim. */
public record ChooseClaimPolicies(DomainId domain, ClaimChoices choices)
    implements MachineCommand<Domain> {
  @Override
  public Domain execute(Machine machine) {
    Domain found = machine.hypervisor().domains().byId(domain);
    choices.applyTo(found);
    return found;
  }
}
