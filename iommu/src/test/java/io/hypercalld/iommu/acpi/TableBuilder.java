package io.hypercalld.iommu.acpi;

import io.hypercalld.iommu.acpi.DeviceScope.Step;
import io.hypercalld.iommu.pci.Sbdf;
import java.util.List;

/** Tables for tests. */
final class TableBuilder {
  static final AcpiHeader HEADER = new AcpiHeader(1, "OEMIDX", "TABLEIDX", 1, "CREA", 2);

  private TableBuilder() {}

  static DmarTable table(DmarStructure... structures) {
    return new DmarTable(HEADER, 39, 1, List.of(structures), List.of());
  }

  static Drhd unit(long base, DeviceScope... scopes) {
    return new Drhd(0, base, 0, false, List.of(scopes));
  }

  static Drhd includeAll(long base, DeviceScope... scopes) {
    return new Drhd(0, base, 0, true, List.of(scopes));
  }

  static DeviceScope endpoint(String sbdf) {
    return DeviceScope.of(DeviceScope.Type.PCI_ENDPOINT, Sbdf.parse(sbdf));
  }

  static DeviceScope bridge(String sbdf) {
    return DeviceScope.of(DeviceScope.Type.PCI_BRIDGE, Sbdf.parse(sbdf));
  }

  /** An endpoint at the end of {@code device, function} pairs. */
  static DeviceScope path(int startBus, Step... steps) {
    return new DeviceScope(DeviceScope.Type.PCI_ENDPOINT, 0, 0, startBus, List.of(steps));
  }

  /** The same bytes with the checksum made right. */
  static byte[] resealed(byte[] bytes) {
    byte[] copy = bytes.clone();
    if (copy.length > DmarParser.CHECKSUM_OFFSET) {
      int length = Math.clamp(new TableBytes(copy).u32(4), 0, copy.length);
      copy[DmarParser.CHECKSUM_OFFSET] = 0;
      copy[DmarParser.CHECKSUM_OFFSET] = (byte) -DmarParser.byteSum(copy, length);
    }
    return copy;
  }
}
