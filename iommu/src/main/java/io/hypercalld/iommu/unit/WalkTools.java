package io.hypercalld.iommu.unit;

import io.hypercalld.core.memory.PhysicalMemory;
import io.hypercalld.iommu.vtd.FirstLevelFormat;
import io.hypercalld.iommu.vtd.SecondStageFormat;

/** What the walks of one unit work with. */
record WalkTools(
    PhysicalMemory memory,
    PagingStructureCache structures,
    SecondStageFormat secondStageFormat,
    FirstLevelFormat firstLevelFormat,
    FirstLevelFormat nestedFormat,
    UnitCounters counters,
    Malfunctions malfunctions) {
  static WalkTools of(Circuit circuit, PagingStructureCache structures) {
    int hostAddressWidth = circuit.settings().hostAddressWidth();
    return new WalkTools(
        circuit.memory(),
        structures,
        new SecondStageFormat(circuit.capabilities(), hostAddressWidth),
        new FirstLevelFormat(circuit.capabilities(), hostAddressWidth),
        FirstLevelFormat.nested(circuit.capabilities()),
        circuit.counters(),
        circuit.malfunctions());
  }

  /** The same tools with another cache of tables. */
  WalkTools with(PagingStructureCache others) {
    return new WalkTools(
        memory, others, secondStageFormat, firstLevelFormat, nestedFormat, counters, malfunctions);
  }
}
