package io.hypercalld.api.machine;

import io.hypercalld.iommu.unit.RemappingUnit;

/**
 * Somebody resets a remapping unit, behind its driver's back.
 *
 * @param power whether its power goes off and on, so that sticky bits are lost too
 */
public record ResetUnit(int iommu, boolean power) implements MachineCommand<RemappingUnit> {
  @Override
  public RemappingUnit execute(Machine machine) {
    RemappingUnit unit = machine.unit(iommu);
    if (power) {
      unit.powerOn();
    } else {
      unit.reset();
    }
    return unit;
  }
}
