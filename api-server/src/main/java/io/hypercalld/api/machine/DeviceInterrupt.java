package io.hypercalld.api.machine;

import io.hypercalld.core.bits.Word;
import io.hypercalld.iommu.interrupt.Processors;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.unit.DmaRequester;
import io.hypercalld.iommu.unit.InterruptOutcome;
import io.hypercalld.iommu.vtd.PasidPrefix;

/**
 * A device asks for an interrupt, by whatever message it likes.
 *
 * @param prefix what the message says of an address space
 */
public record DeviceInterrupt(Sbdf sbdf, PasidPrefix prefix, Word address, Word data)
    implements MachineCommand<Processors.Observed<InterruptOutcome>> {
  @Override
  public Processors.Observed<InterruptOutcome> execute(Machine machine) {
    DmaRequester requester = machine.requester(sbdf).in(prefix);
    machine.faults().deviceActs();
    return machine
        .interrupts()
        .processors()
        .observe(
            () -> machine.rootComplex().interrupt(requester, address.value(), (int) data.value()));
  }
}
