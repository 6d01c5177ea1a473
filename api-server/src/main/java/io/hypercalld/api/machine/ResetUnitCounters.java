package io.hypercalld.api.machine;

import io.hypercalld.iommu.unit.RemappingUnit;

/**
 * The counters of one remapping unit start from zero again.
 *
 * <p>Refused with ENODEV where there is no such unit.
 */
public record ResetUnitCounters(int iommu) implements MachineCommand<RemappingUnit> {
  @Override
  public RemappingUnit execute(Machine machine) {
    RemappingUnit unit = machine.unit(iommu);
    unit.counters().reset();
    return unit;
  }
}
