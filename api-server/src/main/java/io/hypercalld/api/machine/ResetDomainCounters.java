package io.hypercalld.api.machine;

import io.hypercalld.core.dma.DomainDma;
import io.hypercalld.core.dma.SoftwareIotlb;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.kernel.GuestKernel;
import io.hypercalld.core.kernel.RunningKernel;
import io.hypercalld.iommu.driver.DomainIommu;
import io.hypercalld.iommu.driver.TableCounters;
import io.hypercalld.ioreq.dispatch.DomainIo;

/**
 * The counters of one domain start from zero again.
 *
 * <p>Refused with ESRCH where there is no such domain.
 */
public record ResetDomainCounters(DomainId domain) implements MachineCommand<Domain> {
  @Override
  public Domain execute(Machine machine) {
    return reset(machine.hypervisor().domains().byId(domain));
  }

  static Domain reset(Domain domain) {
    domain.calls().reset();
    domain.facet(DomainDma.class).stray().reset();
    domain.findP2m().ifPresent(p2m -> p2m.counters().reset());
    domain.findFacet(DomainIo.class).ifPresent(io -> io.counters().reset());
    domain.findFacet(DomainIommu.class).ifPresent(ResetDomainCounters::reset);
    domain
        .facet(GuestKernel.class)
        .running()
        .flatMap(RunningKernel::bounces)
        .ifPresent(SoftwareIotlb::resetCounters);
    return domain;
  }

  private static void reset(DomainIommu iommu) {
    iommu.flushes().reset();
    iommu.tableCounters().ifPresent(TableCounters::reset);
  }
}
