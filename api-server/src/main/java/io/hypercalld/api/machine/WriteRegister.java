package io.hypercalld.api.machine;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.iommu.unit.RemappingUnit;

/**
 * Software writes a register of a remapping unit, behind its driver's back.
 *
 * @param size bytes: 4 or 8
 */
public record WriteRegister(int iommu, Word offset, int size, Word value)
    implements MachineCommand<Word> {
  private static final int HALF = 4;

  @Override
  public Word execute(Machine machine) {
    RemappingUnit unit = machine.unit(iommu);
    int at = machine.requireRegister(iommu, offset, size);
    if (size == HALF) {
      if (value.value() >>> Integer.SIZE != 0) {
        throw Refusal.of(Errno.ERANGE, "%s does not fit 4 bytes", value);
      }
      unit.write32(at, (int) value.value());
    } else {
      unit.write64(at, value.value());
    }
    return value;
  }
}
