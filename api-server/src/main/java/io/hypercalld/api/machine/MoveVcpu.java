package io.hypercalld.api.machine;

import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.iommu.interrupt.VirtualProcessor;
import io.hypercalld.iommu.interrupt.VirtualProcessors;
import java.util.Optional;

/**
 * The scheduler does something with a vCPU.
 *
 * @param to what the vCPU does from now on
 * @param processor on which it runs; where it ran last where empty
 */
public record MoveVcpu(
    DomainId domain, int vcpu, VirtualProcessor.State to, Optional<Integer> processor)
    implements MachineCommand<VirtualProcessor> {
  @Override
  public VirtualProcessor execute(Machine machine) {
    Domain owner = machine.hypervisor().domains().byId(domain);
    VirtualProcessors vcpus = owner.facet(VirtualProcessors.class);
    VirtualProcessor before = vcpus.place(vcpu);
    switch (to) {
      case RUNNING -> machine.interrupts().run(owner, vcpu, processor);
      case BLOCKED -> vcpus.block(vcpu);
      case RUNNABLE -> {
        if (before.state() == VirtualProcessor.State.BLOCKED) {
          vcpus.wake(vcpu);
        } else {
          vcpus.preempt(vcpu);
        }
      }
    }
    return vcpus.place(vcpu);
  }
}
