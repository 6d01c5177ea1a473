package io.hypercalld.api.machine;

import io.hypercalld.core.bits.HexBytes;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.iommu.virtual.VirtualIommu;

/** Has a guest's remapping unit go on where the record of a saved one says that it was. */
public record LoadViommu(DomainId domain, HexBytes record) implements MachineCommand<VirtualIommu> {
  @Override
  public VirtualIommu execute(Machine machine) {
    VirtualIommu iommu = machine.virtualIommus().of(machine.hypervisor().domains().byId(domain));
    iommu.load(record.toByteArray());
    return iommu;
  }
}
