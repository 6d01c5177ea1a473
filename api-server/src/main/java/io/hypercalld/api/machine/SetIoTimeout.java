package io.hypercalld.api.machine;

import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.ioreq.dispatch.DomainIo;
import io.hypercalld.ioreq.dispatch.TimeoutPolicy;

/** Says what becomes of a domain's requests that are not answered. */
public record SetIoTimeout(DomainId domain, TimeoutPolicy policy)
    implements MachineCommand<TimeoutPolicy> {
  @Override
  public TimeoutPolicy execute(Machine machine) {
    if (policy.after() < 0) {
      throw Refusal.of(Errno.EINVAL, "a request cannot be overdue after %d ns", policy.after());
    }
    machine.hypervisor().domains().byId(domain).facet(DomainIo.class).setTimeout(policy);
    return policy;
  }
}
