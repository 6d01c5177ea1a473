package io.hypercalld.iommu.pci;

/** Functions for tests. */
final class Functions {
  private static final int NIC = 0x02_0000;
  private static final int BRIDGE = 0x06_0400;

  private Functions() {}

  static PciFunction endpoint(String sbdf) {
    return function(sbdf, NIC, PciKind.PCIE_ENDPOINT);
  }

  static PciFunction conventional(String sbdf) {
    return function(sbdf, NIC, PciKind.PCI);
  }

  static PciFunction bridge(String sbdf, PciKind kind, int secondary, int subordinate) {
    return function(sbdf, BRIDGE, kind).withBuses(new BusRange(secondary, subordinate));
  }

  static PciFunction physical(String sbdf, int vfs, int offset, int stride) {
    return endpoint(sbdf).withSriov(new SriovCapability(vfs, vfs, offset, stride, 0x154c));
  }

  private static PciFunction function(String sbdf, int classCode, PciKind kind) {
    return PciFunction.of(
        Sbdf.parse(sbdf), new PciIdentity(0x8086, 0x1572, classCode, "Test device"), kind);
  }
}
