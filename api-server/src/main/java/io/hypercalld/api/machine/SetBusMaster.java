package io.hypercalld.api.machine;

import io.hypercalld.iommu.pci.Sbdf;

/** A driver sets or clears the bus-master bit of a function's command register. */
public record SetBusMaster(Sbdf sbdf, boolean enabled) implements MachineCommand<Boolean> {
  @Override
  public Boolean execute(Machine machine) {
    machine.topology().setBusMaster(sbdf, enabled);
    return enabled;
  }
}
