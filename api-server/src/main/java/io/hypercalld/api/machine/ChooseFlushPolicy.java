package io.hypercalld.api.machine;

import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.iommu.driver.DomainIommu;
import io.hypercalld.iommu.driver.FlushPolicy;

/** Has units told at other times of what changes in a domain's DMA tables. */
public record ChooseFlushPolicy(DomainId domain, FlushPolicy policy)
    implements MachineCommand<Domain> {
  @Override
  public Domain execute(Machine machine) {
    Domain found = machine.hypervisor().domains().byId(domain);
    found
        .findFacet(DomainIommu.class)
        .orElseThrow(() -> Refusal.of(Errno.EOPNOTSUPP, "%s has no IOMMU", domain))
        .flushing()
        .choose(policy);
    return found;
  }
}
