package io.hypercalld.api.machine;

import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.kernel.RunningKernel;
import java.util.Optional;

/**
 * Boots the kernel of a domain, anew where one runs.
 *
 * <p>Refused with ESRCH where there is no such domain; EINVAL for other than whole segments of
 * slabs; ENOMEM where there is not so much memory for them.
 *
 * @param slabs of the bounce pool
 * @param dmaBits how long the pool's machine addresses may be
 */
public record BootKernel(DomainId domain, Optional<Integer> slabs, Optional<Integer> dmaBits)
    implements MachineCommand<RunningKernel> {
  @Override
  public RunningKernel execute(Machine machine) {
    Domain owner = machine.hypervisor().domains().byId(domain);
    return GuestKernels.boot(machine, owner, slabs, dmaBits);
  }
}
