package io.hypercalld.api.machine;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.interrupt.DomainInterrupts;
import io.hypercalld.core.interrupt.InterruptCommand;
import java.util.List;

/**
 * A vCPU stores to the interrupt command register of its local APIC: the vCPUs that took it.
 *
 * <p>Refused with ENOENT where there is no such vCPU, and with EOPNOTSUPP where no other processor
 * takes such an interrupt.
 *
 * @param icr 64 bits; how long the destination is depends on the mode of the local APIC
 */
public record SendIpi(DomainId domain, int vcpu, Word icr)
    implements MachineCommand<List<Integer>> {
  @Override
  public List<Integer> execute(Machine machine) {
    DomainInterrupts interrupts = ServeInterrupt.of(machine.hypervisor().domains().byId(domain));
    ServeInterrupt.apic(interrupts, vcpu);
    return interrupts.command(vcpu, new InterruptCommand(icr.value()));
  }
}
