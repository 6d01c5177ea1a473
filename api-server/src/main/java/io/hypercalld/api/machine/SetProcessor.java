package io.hypercalld.api.machine;

import io.hypercalld.iommu.interrupt.Hotplug;

/** A processor is taken out of use, or put into it again. */
public record SetProcessor(int processor, boolean online) implements MachineCommand<Boolean> {
  @Override
  public Boolean execute(Machine machine) {
    Hotplug hotplug = machine.interrupts().hotplug();
    if (online) {
      hotplug.online(processor);
    } else {
      hotplug.offline(processor);
    }
    return online;
  }
}
