package io.hypercalld.api.machine;

import io.hypercalld.core.dma.DmaMode;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import java.util.Optional;

/**
 * Has a domain tell its devices other addresses, or again what Xen ships. Where a unit is to
 * translate or to stop, the devices that it has are switched over.
 */
public record ChooseDmaMode(DomainId domain, DmaMode mode) implements MachineCommand<Domain> {
  @Override
  public Domain execute(Machine machine) {
    Domain found = machine.hypervisor().domains().byId(domain);
    machine.driver().addressModes().choose(found, Optional.of(mode));
    return found;
  }
}
