package io.hypercalld.iommu.platform;

import io.hypercalld.core.dma.DmaMode;
import io.hypercalld.core.errno.MalformedInput;
import io.hypercalld.core.memory.MemoryMap;
import io.hypercalld.iommu.acpi.Atsr;
import io.hypercalld.iommu.acpi.DmarTable;
import io.hypercalld.iommu.acpi.Drhd;
import io.hypercalld.iommu.acpi.UnitScopes;
import io.hypercalld.iommu.pci.PciFunction;
import io.hypercalld.iommu.pci.PciTopology;
import io.hypercalld.iommu.pci.Sbdf;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * A whole machine on paper: what is there before the hypervisor starts. Immutable.
 *
 * @param name for people
 * @param hostAddressWidth bits of a machine address
 * @param units in the order of their indexes
 * @param functions in order of address; virtual functions that are enabled may be left out
 * @param reservedRegions in the order they were named
 * @param interrupts processors, and what firmware says of interrupts
 * @param atsrs root ports below which devices may keep translations
 * @param dom0Mode what dom0 tells its devices as addresses; empty for what Xen ships
 */
public record Platform(
    String name,
    PlatformMemory memory,
    int hostAddressWidth,
    List<PlatformUnit> units,
    List<PciFunction> functions,
    List<ReservedRegion> reservedRegions,
    PlatformInterrupts interrupts,
    List<Atsr> atsrs,
    Optional<DmaMode> dom0Mode) {
  /**
   * @throws MalformedInput where the parts contradict each other
   */
  public Platform {
    units = List.copyOf(units);
    functions = functions.stream().sorted(Comparator.comparing(PciFunction::sbdf)).toList();
    reservedRegions = List.copyOf(reservedRegions);
    atsrs = List.copyOf(atsrs);
    MemoryRules.check(memory, hostAddressWidth, units, reservedRegions);
    UnitRules.check(units);
    FunctionRules.check(functions, reservedRegions);
  }

  /** A machine where devices below every root port may keep translations. */
  public Platform(
      String name,
      PlatformMemory memory,
      int hostAddressWidth,
      List<PlatformUnit> units,
      List<PciFunction> functions,
      List<ReservedRegion> reservedRegions,
      PlatformInterrupts interrupts) {
    this(
        name,
        memory,
        hostAddressWidth,
        units,
        functions,
        reservedRegions,
        interrupts,
        units.stream()
            .map(PlatformUnit::segment)
            .distinct()
            .map(segment -> new Atsr(segment, true, List.of()))
            .toList(),
        Optional.empty());
  }

  /** The same with the usual processors. */
  public Platform(
      String name,
      PlatformMemory memory,
      int hostAddressWidth,
      List<PlatformUnit> units,
      List<PciFunction> functions,
      List<ReservedRegion> reservedRegions) {
    this(
        name,
        memory,
        hostAddressWidth,
        units,
        functions,
        reservedRegions,
        PlatformInterrupts.USUAL);
  }

  /**
   * The machine that firmware and a listing describe, with the register values such machines have.
   * Virtual functions are enabled where none are. Without a listing, the functions are those that
   * the table itself names.
   *
   * @throws MalformedInput where table and listing cannot belong to one machine, or ask for what no
   *     memory layout fits
   */
  public static Platform fromFirmware(DmarTable table, List<PciFunction> functions) {
    return Firmware.platform(table, functions);
  }

  /**
   * The same machine with another amount of memory.
   *
   * @throws MalformedInput where it is too little or too much
   */
  public Platform withMemory(long bytes) {
    return new Platform(
        name,
        memory.withBytes(bytes),
        hostAddressWidth,
        units,
        functions,
        reservedRegions,
        interrupts,
        atsrs,
        dom0Mode);
  }

  /** The same machine with a dom0 that tells its devices other addresses. */
  public Platform withDom0Mode(DmaMode mode) {
    return new Platform(
        name,
        memory,
        hostAddressWidth,
        units,
        functions,
        reservedRegions,
        interrupts,
        atsrs,
        Optional.of(mode));
  }

  /** The same machine without remapping units. */
  public Platform withoutUnits() {
    return new Platform(
        name,
        memory,
        hostAddressWidth,
        List.of(),
        functions,
        reservedRegions,
        interrupts,
        List.of(),
        dom0Mode);
  }

  /** The same machine with devices that may keep translations below these ports only. */
  public Platform withAtsBelow(List<Atsr> ports) {
    return new Platform(
        name,
        memory,
        hostAddressWidth,
        units,
        functions,
        reservedRegions,
        interrupts,
        ports,
        dom0Mode);
  }

  /** What lies where below the host address width. */
  public MemoryMap memoryMap() {
    return MemoryRules.map(memory, reservedRegions);
  }

  /** A new topology of the machine's functions, enabled virtual functions included. */
  public PciTopology topology() {
    return new PciTopology(functions);
  }

  /** The units in the order of their indexes. */
  public List<Drhd> definitions() {
    return units.stream().map(PlatformUnit::definition).toList();
  }

  /** Who covers what, in a topology of this machine. */
  public UnitScopes unitScopes(PciTopology topology) {
    return new UnitScopes(definitions(), topology);
  }

  /** The regions that a function must always reach; none for a virtual function. */
  public List<ReservedRegion> reservedRegionsOf(Sbdf sbdf) {
    return reservedRegions.stream().filter(region -> region.devices().contains(sbdf)).toList();
  }
}
