package io.hypercalld.iommu.platform;

import io.hypercalld.iommu.acpi.DeviceScope;
import io.hypercalld.iommu.acpi.Drhd;
import io.hypercalld.iommu.pci.BusRange;
import io.hypercalld.iommu.pci.PciFunction;
import io.hypercalld.iommu.pci.PciIdentity;
import io.hypercalld.iommu.pci.PciKind;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.vtd.Capabilities;
import java.util.List;

/** Platforms for tests. */
final class Machines {
  static final long GIB = 1L << 30;
  static final PlatformMemory MEMORY = new PlatformMemory(16 * GIB, 2 * GIB, GIB);
  static final Capabilities CAPABILITIES = new Capabilities(0x00d2_078c_106f_0462L, 0x00_20c3L);

  private Machines() {}

  static Drhd includeAll(long base) {
    return new Drhd(0, base, 0, true, List.of());
  }

  static Drhd covering(long base, DeviceScope... scopes) {
    return new Drhd(0, base, 0, false, List.of(scopes));
  }

  static PlatformUnit unit(Drhd definition) {
    return new PlatformUnit(definition, CAPABILITIES);
  }

  static PciFunction endpoint(String sbdf) {
    return PciFunction.of(
        Sbdf.parse(sbdf), new PciIdentity(0x8086, 0x1572, 0x02_0000, "NIC"), PciKind.PCIE_ENDPOINT);
  }

  static PciFunction bridge(String sbdf, int secondary, int subordinate) {
    return PciFunction.of(
            Sbdf.parse(sbdf),
            new PciIdentity(0x8086, 0xa110, 0x06_0400, "Root port"),
            PciKind.PCIE_BRIDGE)
        .withBuses(new BusRange(secondary, subordinate));
  }

  static Platform platform(List<PlatformUnit> units, List<PciFunction> functions) {
    return new Platform("test", MEMORY, 46, units, functions, List.of());
  }

  static Platform platform(PciFunction... functions) {
    return platform(List.of(unit(includeAll(0xfed9_0000L))), List.of(functions));
  }

  static Platform withRegions(ReservedRegion... regions) {
    return new Platform(
        "test",
        MEMORY,
        46,
        List.of(unit(includeAll(0xfed9_0000L))),
        List.of(endpoint("00:14.0")),
        List.of(regions));
  }
}
