package io.hypercalld.iommu.unit;

import io.hypercalld.iommu.vtd.FirstLevelFormat;
import io.hypercalld.iommu.vtd.SecondStageFormat;

/** What the walks of one unit work with. */
record WalkTools(
    TableMemory memory,
    PagingStructureCache structures,
    SecondStageFormat secondStageFormat,
    FirstLevelFormat firstLevelFormat,
    FirstLevelFormat nestedFormat,
    UnitCounters counters) {
  static WalkTools of(Circuit circuit, PagingStructureCache structures) {
    int hostAddressWidth = circuit.settings().hostAddressWidth();
    return new WalkTools(
        new PhysicalTables(circuit.memory()),
        structures,
        new SecondStageFormat(circuit.capabilities(), hostAddressWidth),
        new FirstLevelFormat(circuit.capabilities(), hostAddressWidth),
        FirstLevelFormat.nested(circuit.capabilities()),
        circuit.counters());
  }

  /** The same tools with another cache of tables. */
  WalkTools with(PagingStructureCache others) {
    return new WalkTools(
        memory, others, secondStageFormat, firstLevelFormat, nestedFormat, counters);
  }
}
