package io.hypercalld.api.machine;

import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.iommu.interrupt.IoApicPin;
import io.hypercalld.iommu.interrupt.IoApicSource;
import io.hypercalld.iommu.interrupt.MachineInterrupts;
import io.hypercalld.iommu.interrupt.Processors;
import io.hypercalld.iommu.unit.DmaRequester;
import io.hypercalld.iommu.unit.InterruptOutcome;
import io.hypercalld.iommu.vtd.RemappableMessage;
import java.util.Optional;

/** A wire to a pin of one of the machine's I/O APICs asks for an interrupt. */
public record AssertGsi(int gsi)
    implements MachineCommand<Processors.Observed<Optional<InterruptOutcome>>> {
  @Override
  public Processors.Observed<Optional<InterruptOutcome>> execute(Machine machine) {
    MachineInterrupts all = machine.interrupts().machine();
    if (gsi < 0 || gsi >= all.ioApics().size() * IoApicPin.PINS) {
      throw Refusal.of(Errno.ENXIO, "no I/O APIC has a pin for GSI %d", gsi);
    }
    Optional<IoApicPin> pin =
        all.find(gsi)
            .flatMap(interrupt -> interrupt.source())
            .filter(IoApicPin.class::isInstance)
            .map(IoApicPin.class::cast)
            .filter(open -> !open.entry().isMasked());
    return machine
        .interrupts()
        .processors()
        .observe(() -> pin.map(open -> send(machine, all.ioApics().get(open.ioApic()), open)));
  }

  private static InterruptOutcome send(Machine machine, IoApicSource source, IoApicPin pin) {
    RemappableMessage message = pin.entry().message();
    DmaRequester requester =
        new DmaRequester(source.requester(), Optional.of(machine.unit(source.iommu())), true);
    return machine.rootComplex().interrupt(requester, message.address(), message.data());
  }
}
