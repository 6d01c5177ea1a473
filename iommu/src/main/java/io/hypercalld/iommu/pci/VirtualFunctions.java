package io.hypercalld.iommu.pci;

import io.hypercalld.iommu.pci.PciFunction.Feature;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;

/** The virtual functions that physical functions bring into being. Never instantiated. */
public final class VirtualFunctions {
  private VirtualFunctions() {}

  /** One function for each virtual function that is enabled, in order of address. */
  static List<PciFunction> enabledBy(PciFunction physical) {
    return physical
        .sriov()
        .map(
            sriov ->
                IntStream.range(0, sriov.numVfs())
                    .mapToObj(index -> virtualFunction(physical, sriov, index))
                    .toList())
        .orElse(List.of());
  }

  private static PciFunction virtualFunction(
      PciFunction physical, SriovCapability sriov, int index) {
    PciIdentity identity = physical.identity();
    PciIdentity virtual =
        new PciIdentity(
            identity.vendorId(),
            sriov.vfDeviceId(),
            identity.classCode(),
            identity.description() + " (virtual function)");
    return PciFunction.of(
            sriov.virtualFunction(physical.sbdf(), index), virtual, PciKind.PCIE_ENDPOINT)
        .with(Feature.MSI_X, true)
        .with(Feature.ATS, physical.ats())
        .asVirtualFunctionOf(physical.sbdf());
  }

  /** Where the enabled virtual functions of a function are, in order of address. */
  public static List<Sbdf> addresses(PciFunction physical) {
    return enabledBy(physical).stream().map(PciFunction::sbdf).toList();
  }

  /** The same functions, those that are virtual functions of others linked to them. */
  static List<PciFunction> linked(Collection<PciFunction> functions) {
    Map<Sbdf, Sbdf> physicalFunctions = new HashMap<>();
    for (PciFunction physical : functions) {
      enabledBy(physical)
          .forEach(virtual -> physicalFunctions.put(virtual.sbdf(), physical.sbdf()));
    }
    return functions.stream().map(function -> link(function, physicalFunctions)).toList();
  }

  private static PciFunction link(PciFunction function, Map<Sbdf, Sbdf> physicalFunctions) {
    Sbdf physical = physicalFunctions.get(function.sbdf());
    return physical == null || function.sriov().isPresent()
        ? function
        : function.asVirtualFunctionOf(physical);
  }

  /**
   * The same functions with every virtual function enabled that could be: all of a physical
   * function that has none enabled, as long as their addresses exist and are free. They may run
   * onto buses above the physical function's.
   */
  public static List<PciFunction> madeAvailable(Collection<PciFunction> functions) {
    Set<Sbdf> taken = new HashSet<>();
    for (PciFunction function : functions) {
      taken.add(function.sbdf());
      taken.addAll(addresses(function));
    }
    List<PciFunction> available = new ArrayList<>();
    functions.forEach(function -> available.add(enableAll(function, taken)));
    return available;
  }

  private static PciFunction enableAll(PciFunction function, Set<Sbdf> taken) {
    int total = function.sriov().map(SriovCapability::totalVfs).orElse(0);
    if (total == 0 || function.numVfs() > 0) {
      return function;
    }
    SriovCapability all = function.sriov().orElseThrow().enabling(total);
    if (!all.fits(function.sbdf(), total)) {
      return function;
    }
    PciFunction enabled = function.withSriov(all);
    List<Sbdf> places = addresses(enabled);
    if (places.stream().anyMatch(taken::contains)) {
      return function;
    }
    taken.addAll(places);
    return enabled;
  }
}
