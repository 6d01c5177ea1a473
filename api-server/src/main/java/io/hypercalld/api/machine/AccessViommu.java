package io.hypercalld.api.machine;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.iommu.virtual.VirtualIommu;
import java.util.Optional;

/**
 * A register of a guest's remapping unit is read or written as if by the guest.
 *
 * @param size bytes: 4 or 8
 * @param value what is written; empty for a read
 */
public record AccessViommu(DomainId domain, Word offset, int size, Optional<Word> value)
    implements MachineCommand<Word> {
  @Override
  public Word execute(Machine machine) {
    VirtualIommu iommu = machine.virtualIommus().of(machine.hypervisor().domains().byId(domain));
    if (value.isEmpty()) {
      return iommu.readRegister(offset, size);
    }
    iommu.writeRegister(offset, size, value.get());
    return value.get();
  }
}
