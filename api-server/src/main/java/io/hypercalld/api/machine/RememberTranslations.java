package io.hypercalld.api.machine;

import io.hypercalld.core.domain.DomainId;
import io.hypercalld.iommu.pci.Sbdf;

/** Has a guest's emulated device remember so many translations from now on. */
public record RememberTranslations(DomainId domain, Sbdf device, int entries)
    implements MachineCommand<Integer> {
  @Override
  public Integer execute(Machine machine) {
    machine
        .virtualIommus()
        .of(machine.hypervisor().domains().byId(domain))
        .virtualDevices()
        .remember(device, entries);
    return entries;
  }
}
