package io.hypercalld.api.machine;

import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.p2m.SyncHook;
import io.hypercalld.iommu.driver.DomainIommu;
import java.util.Set;

/**
 * Has a domain's devices follow only some kinds of changes of its memory from now on.
 *
 * @param hooks those that are followed
 */
public record ChooseSyncHooks(DomainId domain, Set<SyncHook> hooks)
    implements MachineCommand<Domain> {
  public ChooseSyncHooks {
    hooks = Set.copyOf(hooks);
  }

  @Override
  public Domain execute(Machine machine) {
    Domain found = machine.hypervisor().domains().byId(domain);
    found
        .findFacet(DomainIommu.class)
        .orElseThrow(() -> Refusal.of(Errno.EOPNOTSUPP, "%s has no IOMMU", domain))
        .setHooks(hooks);
    return found;
  }
}
