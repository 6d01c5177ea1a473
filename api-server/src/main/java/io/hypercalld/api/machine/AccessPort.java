package io.hypercalld.api.machine;

import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.guest.AccessOutcome;
import io.hypercalld.ioreq.dispatch.PortAccess;

/** A vCPU of a domain reads or writes a port. */
public record AccessPort(DomainId domain, PortAccess access)
    implements MachineCommand<AccessOutcome> {
  @Override
  public AccessOutcome execute(Machine machine) {
    return machine
        .deviceModels()
        .cpus()
        .access(machine.hypervisor().domains().byId(domain), access);
  }
}
