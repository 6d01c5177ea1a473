package io.hypercalld.api.machine;

import io.hypercalld.iommu.interrupt.HpetTimers;
import java.util.Optional;

/** The hypervisor has a comparator of an HPET interrupt a processor, or nobody where empty. */
public record DirectTimer(HpetTimers.Comparator comparator, Optional<Integer> processor)
    implements MachineCommand<Boolean> {
  @Override
  public Boolean execute(Machine machine) {
    HpetTimers timers = machine.interrupts().timers();
    processor.ifPresentOrElse(
        target -> timers.direct(comparator, target), () -> timers.release(comparator));
    return processor.isPresent();
  }
}
