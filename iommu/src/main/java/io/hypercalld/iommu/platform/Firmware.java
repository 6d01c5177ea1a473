package io.hypercalld.iommu.platform;

import io.hypercalld.core.errno.MalformedInput;
import io.hypercalld.core.memory.MemoryMap;
import io.hypercalld.iommu.acpi.DeviceScope;
import io.hypercalld.iommu.acpi.DmarTable;
import io.hypercalld.iommu.acpi.Drhd;
import io.hypercalld.iommu.acpi.Rmrr;
import io.hypercalld.iommu.acpi.UnitScopes;
import io.hypercalld.iommu.pci.PciFunction;
import io.hypercalld.iommu.pci.PciFunction.Feature;
import io.hypercalld.iommu.pci.PciTopology;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.pci.VirtualFunctions;
import java.util.List;
import java.util.Optional;

/** Makes a platform of what a machine's firmware and a listing say. Confined to its caller. */
/*
 * Firmware's memory map is not in its DMAR table, so one is chosen: RAM goes up to the next 256 MiB
 * above the highest reserved region, 2 GiB at least, and never into a register window. That puts
 * every reserved region into RAM and every window into the hole below 4 GiB, as on the real machine.
 */
final class Firmware {
  private static final long LEAST_LOW_TOP = 2L << 30;
  private static final long LOW_TOP_STEP = 256L << 20;
  private static final long HIGH_STEP = 1L << 30;

  private final DmarTable table;
  private final List<PciFunction> functions;
  private final PciTopology topology;

  private Firmware(DmarTable table, List<PciFunction> functions) {
    this.table = table;
    this.functions = functions;
    this.topology = new PciTopology(functions);
  }

  static Platform platform(DmarTable table, List<PciFunction> listed) {
    List<PciFunction> functions =
        listed.isEmpty() ? NamedFunctions.of(table) : VirtualFunctions.madeAvailable(listed);
    return new Firmware(table, driven(functions)).platform();
  }

  /**
   * Bus mastering is what drivers turn on, and the listing shows those of the system that printed
   * it: here it is dom0's drivers that run, later a guest's.
   */
  private static List<PciFunction> driven(List<PciFunction> functions) {
    return functions.stream().map(function -> function.with(Feature.BUS_MASTER, true)).toList();
  }

  private Platform platform() {
    table.drhds().forEach(this::checkBridges);
    long lowTop = lowTop();
    return new Platform(
        name(),
        new PlatformMemory(bytes(lowTop), lowTop, PlatformMemory.DEFAULT_DOM0_BYTES),
        table.hostAddressWidth(),
        table.drhds().stream()
            .map(drhd -> UnitTemplate.unit(drhd, table.hostAddressWidth()))
            .toList(),
        functions,
        table.rmrrs().stream().map(this::region).toList(),
        PlatformInterrupts.ofFirmware(table.flags()),
        table.atsrs(),
        Optional.empty());
  }

  private String name() {
    String vendor = table.header().oemId() + " " + table.header().oemTableId();
    String printable = vendor.replaceAll("[^\\x21-\\x7e]+", " ").strip();
    return printable.isEmpty() ? "firmware" : printable;
  }

  /** A bridge that a unit claims with all below it, but whose buses nobody knows, hides devices. */
  private void checkBridges(Drhd drhd) {
    for (DeviceScope scope : drhd.scopes()) {
      Optional<PciFunction> bridge =
          UnitScopes.resolve(topology, drhd.segment(), scope).flatMap(topology::find);
      if (scope.type() == DeviceScope.Type.PCI_BRIDGE
          && bridge.filter(function -> function.kind().isBridge()).isPresent()
          && bridge.get().buses().isEmpty()) {
        throw MalformedInput.at(
            "device " + bridge.get().sbdf(),
            "the unit at 0x%x covers what is behind it, but the listing does not say which buses"
                + " that is; use lspci -vvnn or -xxxx",
            drhd.base());
      }
    }
  }

  private long lowTop() {
    long regionsEnd =
        table.rmrrs().stream()
            .filter(rmrr -> rmrr.base() < MemoryMap.FOUR_GIB)
            .mapToLong(rmrr -> rmrr.limit() + 1)
            .max()
            .orElse(0);
    long ceiling =
        table.drhds().stream().mapToLong(Drhd::base).reduce(MemoryRules.FIXED_DEVICES, Math::min);
    if (regionsEnd > ceiling) {
      throw MalformedInput.at(
          "memory",
          "a reserved region ends at 0x%x, above the lowest register window or fixed device at"
              + " 0x%x: no RAM can hold it",
          regionsEnd,
          ceiling);
    }
    long wanted = Math.max(regionsEnd, LEAST_LOW_TOP);
    long rounded = (wanted + LOW_TOP_STEP - 1) / LOW_TOP_STEP * LOW_TOP_STEP;
    return Math.min(rounded, ceiling);
  }

  /** The default, or as much as a narrow machine can address. */
  private long bytes(long lowTop) {
    long top =
        table.drhds().stream()
            .mapToLong(Drhd::base)
            .filter(base -> base >= MemoryMap.FOUR_GIB)
            .reduce(1L << table.hostAddressWidth(), Math::min);
    long most = lowTop + (top - MemoryMap.FOUR_GIB) / HIGH_STEP * HIGH_STEP;
    return Math.min(PlatformMemory.DEFAULT_BYTES, most);
  }

  private ReservedRegion region(Rmrr rmrr) {
    List<Sbdf> devices =
        rmrr.scopes().stream()
            .flatMap(scope -> UnitScopes.resolve(topology, rmrr.segment(), scope).stream())
            .filter(sbdf -> topology.find(sbdf).isPresent())
            .distinct()
            .toList();
    return new ReservedRegion(rmrr.base(), rmrr.limit(), devices);
  }
}
