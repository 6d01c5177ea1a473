package io.hypercalld.iommu.unit;

import io.hypercalld.core.memory.PhysicalMemory;
import io.hypercalld.iommu.vtd.Capabilities;

/** What all parts of one unit share. Confined to the machine thread. */
record Circuit(
    UnitSettings settings,
    PhysicalMemory memory,
    RegisterFile registers,
    UnitCounters counters,
    Malfunctions malfunctions,
    PostedWrites postedWrites,
    UnitObserver observer) {
  static Circuit of(UnitSettings settings, PhysicalMemory memory, UnitObserver observer) {
    RegisterFile registers = new RegisterFile(settings.capabilities(), settings.windowBytes());
    return new Circuit(
        settings,
        memory,
        registers,
        new UnitCounters(),
        new Malfunctions(),
        new PostedWrites(settings),
        observer);
  }

  Capabilities capabilities() {
    return settings.capabilities();
  }
}
