package io.hypercalld.api.machine;

import io.hypercalld.iommu.platform.ReservedRegion;

/** The hypervisor is told of memory that devices must always reach, as by Xen's option rmrr. */
public record AddReservedRegion(ReservedRegion region) implements MachineCommand<ReservedRegion> {
  @Override
  public ReservedRegion execute(Machine machine) {
    machine.driver().regions().add(region);
    return region;
  }
}
