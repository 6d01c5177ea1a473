package io.hypercalld.api.machine;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.virtual.VirtualInterrupts;
import io.hypercalld.iommu.vtd.RemappableMessage;

/** An emulated device of a guest's sends an interrupt message. */
public record VirtualMsi(DomainId domain, Sbdf device, Word address, Word data)
    implements MachineCommand<VirtualInterrupts.Delivery> {
  @Override
  public VirtualInterrupts.Delivery execute(Machine machine) {
    return machine
        .virtualIommus()
        .of(machine.hypervisor().domains().byId(domain))
        .interrupts()
        .send(device.sourceId(), new RemappableMessage(address.value(), (int) data.value()));
  }
}
