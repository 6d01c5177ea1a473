package io.hypercalld.api.machine;

import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;

/**
 * Has a domain tell its devices other addresses, or map their memory by another hypercall. Where a
 * unit is to translate or to stop, the devices that it has are switched over.
 */
public record ChooseDmaPolicies(DomainId domain, DmaChoices choices)
    implements MachineCommand<Domain> {
  @Override
  public Domain execute(Machine machine) {
    Domain found = machine.hypervisor().domains().byId(domain);
    choices.applyTo(machine, found);
    return found;
  }
}
