package io.hypercalld.api.machine;

import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.kernel.GuestKernel;

/**
 * The kernel of a domain is no more, nor what its drivers had mapped; no effect where none runs.
 *
 * <p>Refused with ESRCH where there is no such domain.
 */
public record HaltKernel(DomainId domain) implements MachineCommand<Domain> {
  @Override
  public Domain execute(Machine machine) {
    Domain owner = machine.hypervisor().domains().byId(domain);
    owner.facet(GuestKernel.class).halt();
    return owner;
  }
}
