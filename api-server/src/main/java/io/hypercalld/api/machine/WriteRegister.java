package io.hypercalld.api.machine;

import io.hypercalld.core.bits.Word;

/**
 * Software writes a register of a remapping unit, behind its driver's back.
 *
 * @param size bytes: 4 or 8
 */
public record WriteRegister(int iommu, Word offset, int size, Word value)
    implements MachineCommand<Word> {
  @Override
  public Word execute(Machine machine) {
    UnitRegister.of(machine.unit(iommu), offset, size).write(value);
    return value;
  }
}
