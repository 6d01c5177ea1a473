package io.hypercalld.api.machine;

import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.iommu.virtual.VirtualIommu;
import io.hypercalld.iommu.virtual.VirtualUnit;
import io.hypercalld.iommu.virtual.VirtualUnitSettings;

/** Gives a domain a virtual IOMMU; no effect where it has just that one. */
public record CreateViommu(DomainId domain, VirtualUnitSettings wanted)
    implements MachineCommand<VirtualUnit> {
  @Override
  public VirtualUnit execute(Machine machine) {
    Domain target = machine.hypervisor().domains().byId(domain);
    VirtualIommu iommu = machine.virtualIommus().of(target);
    boolean present = iommu.unit().filter(unit -> unit.settings().equals(wanted)).isPresent();
    if (!present) {
      iommu.create(wanted);
    }
    return iommu.requireUnit();
  }
}
