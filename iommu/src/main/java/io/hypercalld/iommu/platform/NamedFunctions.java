package io.hypercalld.iommu.platform;

import io.hypercalld.iommu.acpi.Andd;
import io.hypercalld.iommu.acpi.Atsr;
import io.hypercalld.iommu.acpi.DeviceScope;
import io.hypercalld.iommu.acpi.DmarStructure;
import io.hypercalld.iommu.acpi.DmarTable;
import io.hypercalld.iommu.acpi.Drhd;
import io.hypercalld.iommu.acpi.Rhsa;
import io.hypercalld.iommu.acpi.Rmrr;
import io.hypercalld.iommu.acpi.Satc;
import io.hypercalld.iommu.acpi.Sidp;
import io.hypercalld.iommu.pci.PciFunction;
import io.hypercalld.iommu.pci.PciIdentity;
import io.hypercalld.iommu.pci.PciKind;
import io.hypercalld.iommu.pci.Sbdf;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * The functions that a table names by itself, for want of a listing: endpoints on the bus where
 * their path begins. Never instantiated.
 */
final class NamedFunctions {
  private static final int INTEL = 0x8086;
  private static final int HOST_BRIDGE_CLASS = 0x06_0000;
  private static final int UNASSIGNED_CLASS = 0xff_0000;
  private static final Sbdf HOST_BRIDGE = new Sbdf(0, 0, 0, 0);

  private record Named(int segment, List<DeviceScope> scopes) {}

  private NamedFunctions() {}

  static List<PciFunction> of(DmarTable table) {
    Map<Sbdf, PciFunction> functions = new TreeMap<>();
    functions.put(
        HOST_BRIDGE,
        PciFunction.of(
            HOST_BRIDGE,
            new PciIdentity(INTEL, 0, HOST_BRIDGE_CLASS, "Host bridge"),
            PciKind.HOST_BRIDGE));
    table.structures().stream()
        .flatMap(NamedFunctions::named)
        .flatMap(NamedFunctions::endpoints)
        .forEach(sbdf -> functions.putIfAbsent(sbdf, endpoint(sbdf)));
    return List.copyOf(functions.values());
  }

  private static Stream<Named> named(DmarStructure structure) {
    return switch (structure) {
      case Drhd drhd -> Stream.of(new Named(drhd.segment(), drhd.scopes()));
      case Rmrr rmrr -> Stream.of(new Named(rmrr.segment(), rmrr.scopes()));
      case Satc satc -> Stream.of(new Named(satc.segment(), satc.scopes()));
      case Sidp sidp -> Stream.of(new Named(sidp.segment(), sidp.scopes()));
      case Atsr _, Rhsa _, Andd _ -> Stream.empty();
    };
  }

  private static Stream<Sbdf> endpoints(Named named) {
    return named.scopes().stream()
        .filter(scope -> scope.type() == DeviceScope.Type.PCI_ENDPOINT)
        .filter(scope -> scope.path().size() == 1)
        .map(
            scope ->
                new Sbdf(
                    named.segment(),
                    scope.startBus(),
                    scope.path().getFirst().device(),
                    scope.path().getFirst().function()));
  }

  private static PciFunction endpoint(Sbdf sbdf) {
    return PciFunction.of(
        sbdf,
        new PciIdentity(INTEL, 0, UNASSIGNED_CLASS, "Device named by the DMAR table"),
        PciKind.PCIE_ENDPOINT);
  }
}
