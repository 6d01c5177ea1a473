package io.hypercalld.iommu.acpi;

import io.hypercalld.iommu.pci.BusRange;
import io.hypercalld.iommu.pci.PciFunction;
import io.hypercalld.iommu.pci.PciTopology;
import io.hypercalld.iommu.pci.Sbdf;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Which remapping unit covers a function. Confined to the machine thread.
 *
 * <p>Paths are walked through the bridges that the topology has at the time of the question, never
 * remembered: bus numbers can change.
 *
 * @see "VT-d §8.3, §8.3.1"
 */
public final class UnitScopes {
  private final List<Drhd> units;
  private final PciTopology topology;

  /**
   * @param units in table order; a unit's place is its index
   */
  public UnitScopes(List<Drhd> units, PciTopology topology) {
    this.units = List.copyOf(units);
    this.topology = topology;
  }

  /**
   * The index of the unit that covers a function, present or not: the first whose scopes name it or
   * a bridge above it, else the one that includes all the rest of its segment. A virtual function
   * is covered where its physical function is.
   */
  public OptionalInt unitOf(Sbdf sbdf) {
    Sbdf named = topology.find(sbdf).flatMap(PciFunction::physicalFunction).orElse(sbdf);
    OptionalInt explicit = find(named, false);
    return explicit.isPresent() ? explicit : find(named, true);
  }

  private OptionalInt find(Sbdf sbdf, boolean includeAll) {
    for (int index = 0; index < units.size(); index++) {
      Drhd unit = units.get(index);
      if (unit.segment() == sbdf.segment()
          && unit.includeAll() == includeAll
          && (includeAll || claims(unit, sbdf))) {
        return OptionalInt.of(index);
      }
    }
    return OptionalInt.empty();
  }

  private boolean claims(Drhd unit, Sbdf sbdf) {
    return unit.scopes().stream().anyMatch(scope -> claims(topology, unit.segment(), scope, sbdf));
  }

  /** Whether a scope names a function or a bridge above it. */
  static boolean claims(PciTopology topology, int segment, DeviceScope scope, Sbdf sbdf) {
    Optional<Sbdf> named = resolve(topology, segment, scope);
    return switch (scope.type()) {
      case PCI_ENDPOINT, ACPI_DEVICE -> named.filter(sbdf::equals).isPresent();
      case PCI_BRIDGE ->
          named.filter(sbdf::equals).isPresent()
              || named
                  .flatMap(topology::busesBelow)
                  .filter(buses -> sbdf.segment() == segment && buses.contains(sbdf.bus()))
                  .isPresent();
      // These name requester ids of interrupts, which may coincide with a real function's.
      case IOAPIC, MSI_HPET -> false;
    };
  }

  /** The function that a scope's path ends at, which need not exist; empty where a bridge fails. */
  public Optional<Sbdf> resolve(int segment, DeviceScope scope) {
    return resolve(topology, segment, scope);
  }

  /** As {@link #resolve(int, DeviceScope)}, in any topology. */
  public static Optional<Sbdf> resolve(PciTopology topology, int segment, DeviceScope scope) {
    int bus = scope.startBus();
    for (DeviceScope.Step step : scope.path().subList(0, scope.path().size() - 1)) {
      Optional<BusRange> below =
          topology.busesBelow(new Sbdf(segment, bus, step.device(), step.function()));
      if (below.isEmpty()) {
        return Optional.empty();
      }
      bus = below.get().secondary();
    }
    DeviceScope.Step last = scope.path().getLast();
    return Optional.of(new Sbdf(segment, bus, last.device(), last.function()));
  }
}
