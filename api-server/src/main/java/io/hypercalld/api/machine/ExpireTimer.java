package io.hypercalld.api.machine;

import io.hypercalld.iommu.interrupt.HpetSource;
import io.hypercalld.iommu.interrupt.HpetTimer;
import io.hypercalld.iommu.interrupt.HpetTimers;
import io.hypercalld.iommu.interrupt.MachineInterrupt;
import io.hypercalld.iommu.interrupt.Processors;
import io.hypercalld.iommu.unit.DmaRequester;
import io.hypercalld.iommu.unit.InterruptOutcome;
import java.util.Optional;

/** A comparator of an HPET expires, and sends its message where it was given one. */
public record ExpireTimer(HpetTimers.Comparator comparator)
    implements MachineCommand<Processors.Observed<Optional<InterruptOutcome>>> {
  @Override
  public Processors.Observed<Optional<InterruptOutcome>> execute(Machine machine) {
    Optional<HpetTimer> timer =
        machine
            .interrupts()
            .timers()
            .find(comparator)
            .flatMap(MachineInterrupt::source)
            .map(HpetTimer.class::cast);
    return machine.interrupts().processors().observe(() -> timer.map(one -> send(machine, one)));
  }

  private static InterruptOutcome send(Machine machine, HpetTimer timer) {
    HpetSource hpet = timer.hpet();
    DmaRequester requester =
        new DmaRequester(hpet.requester(), Optional.of(machine.unit(hpet.iommu())), true);
    return machine
        .rootComplex()
        .interrupt(requester, timer.message().address(), timer.message().data());
  }
}
