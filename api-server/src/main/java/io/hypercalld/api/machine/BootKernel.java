package io.hypercalld.api.machine;

import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.kernel.RunningKernel;

/**
 * Boots the kernel of a domain, anew where one runs.
 *
 * <p>Refused with ESRCH where there is no such domain; as {@link
 * io.hypercalld.core.kernel.KernelBoot#boot}.
 */
public record BootKernel(DomainId domain, BootOptions options)
    implements MachineCommand<RunningKernel> {
  @Override
  public RunningKernel execute(Machine machine) {
    Domain owner = machine.hypervisor().domains().byId(domain);
    return GuestKernels.boot(machine, owner, options);
  }
}
