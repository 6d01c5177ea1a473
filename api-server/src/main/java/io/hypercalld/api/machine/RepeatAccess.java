package io.hypercalld.api.machine;

import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.guest.AccessOutcome;
import io.hypercalld.ioreq.dispatch.RepeatedAccess;

/** A vCPU of a domain executes a repeated string instruction. */
public record RepeatAccess(DomainId domain, RepeatedAccess access)
    implements MachineCommand<AccessOutcome> {
  @Override
  public AccessOutcome execute(Machine machine) {
    return machine
        .deviceModels()
        .cpus()
        .access(machine.hypervisor().domains().byId(domain), access);
  }
}
