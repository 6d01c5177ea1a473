package io.hypercalld.api.machine;

import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.guest.AccessOutcome;
import io.hypercalld.core.guest.GuestRequest;

/** A vCPU of a domain reads or writes memory. */
public record AccessGuest(DomainId domain, GuestRequest request)
    implements MachineCommand<AccessOutcome> {
  @Override
  public AccessOutcome execute(Machine machine) {
    return machine
        .deviceModels()
        .cpus()
        .access(machine.hypervisor().domains().byId(domain), request);
  }
}
