package io.hypercalld.iommu.platform;

import io.hypercalld.core.errno.MalformedInput;
import io.hypercalld.iommu.pci.BusRange;
import io.hypercalld.iommu.pci.PciFunction;
import io.hypercalld.iommu.pci.PciTopology;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.pci.VirtualFunctions;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What must hold between the functions of a machine. Confined to its caller. */
final class FunctionRules {
  private final Map<Sbdf, PciFunction> listed = new HashMap<>();
  private final Map<Sbdf, Sbdf> virtualFunctions = new HashMap<>();

  private FunctionRules() {}

  static void check(List<PciFunction> functions, List<ReservedRegion> regions) {
    if (functions.isEmpty()) {
      throw MalformedInput.at("devices", "there are none");
    }
    FunctionRules rules = new FunctionRules();
    functions.forEach(rules::list);
    functions.forEach(rules::placeVirtualFunctions);
    functions.forEach(rules::checkPhysicalFunction);
    functions.forEach(rules::checkPhantoms);
    checkBuses(functions);
    regions.forEach(rules::checkRegion);
  }

  private void list(PciFunction function) {
    if (listed.putIfAbsent(function.sbdf(), function) != null) {
      throw MalformedInput.at(where(function), "two devices have this address");
    }
  }

  private static String where(PciFunction function) {
    return "device " + function.sbdf();
  }

  private void placeVirtualFunctions(PciFunction physical) {
    for (Sbdf place : VirtualFunctions.addresses(physical)) {
      Sbdf earlier = virtualFunctions.putIfAbsent(place, physical.sbdf());
      if (earlier != null) {
        throw MalformedInput.at(
            where(physical), "%s would be a virtual function of %s too", place, earlier);
      }
      Optional<PciFunction> there = Optional.ofNullable(listed.get(place));
      if (there.isPresent()
          && !there.get().physicalFunction().equals(Optional.of(physical.sbdf()))) {
        throw MalformedInput.at(
            where(physical), "a virtual function would have the address of %s", place);
      }
    }
  }

  private void checkPhysicalFunction(PciFunction function) {
    function
        .physicalFunction()
        .filter(physical -> !physical.equals(virtualFunctions.get(function.sbdf())))
        .ifPresent(
            physical -> {
              throw MalformedInput.at(
                  where(function), "%s does not put a virtual function there", physical);
            });
  }

  private void checkPhantoms(PciFunction function) {
    for (SourceId phantom : PciTopology.phantomIds(function)) {
      Sbdf place = phantom.in(function.sbdf().segment());
      if (listed.containsKey(place) || virtualFunctions.containsKey(place)) {
        throw MalformedInput.at(
            where(function), "its phantom function has the address of %s", place);
      }
    }
  }

  /** Functions come in order of address, so that bridges of one bus are next to each other. */
  private static void checkBuses(List<PciFunction> functions) {
    List<PciFunction> beside = new ArrayList<>();
    for (PciFunction bridge : functions) {
      beside.removeIf(other -> !areBeside(bridge, other));
      if (bridge.buses().isPresent()) {
        requireOwnBuses(bridge, beside);
        beside.add(bridge);
      }
    }
  }

  private static void requireOwnBuses(PciFunction bridge, List<PciFunction> beside) {
    for (PciFunction other : beside) {
      if (overlap(bridge, other)) {
        throw MalformedInput.at(
            where(bridge), "its buses are also those of the bridge %s", other.sbdf());
      }
    }
  }

  private static boolean areBeside(PciFunction one, PciFunction other) {
    return one.sbdf().segment() == other.sbdf().segment() && one.sbdf().bus() == other.sbdf().bus();
  }

  private static boolean overlap(PciFunction one, PciFunction other) {
    BusRange buses = one.buses().orElseThrow();
    BusRange others = other.buses().orElseThrow();
    return buses.secondary() <= others.subordinate() && others.secondary() <= buses.subordinate();
  }

  private void checkRegion(ReservedRegion region) {
    for (Sbdf device : region.devices()) {
      if (!listed.containsKey(device)) {
        throw MalformedInput.at(region.name(), "device %s does not exist", device);
      }
      if (virtualFunctions.containsKey(device)) {
        throw MalformedInput.at(
            region.name(), "device %s is a virtual function, which has no region", device);
      }
    }
  }
}
