package io.hypercalld.iommu.virtual;

import io.hypercalld.iommu.acpi.AcpiHeader;
import io.hypercalld.iommu.acpi.DeviceScope;
import io.hypercalld.iommu.acpi.DmarTable;
import io.hypercalld.iommu.acpi.Drhd;
import java.util.List;

/**
 * The DMAR table from which a guest learns of its unit: 72 bytes, one DRHD for all devices, and the
 * I/O APIC under the source-id ff:00.0. Stateless.
 *
 * @see "spec/documents.md S1-D5"
 */
final class GuestDmar {
  private static final int INTERRUPT_REMAPPING = 1;
  private static final int IO_APIC_ID = 1;
  private static final int IO_APIC_BUS = 0xff;

  private GuestDmar() {}

  static byte[] of(VirtualUnit unit) {
    VirtualUnitSettings settings = unit.settings();
    DeviceScope ioApic =
        new DeviceScope(
            DeviceScope.Type.IOAPIC,
            0,
            IO_APIC_ID,
            IO_APIC_BUS,
            List.of(new DeviceScope.Step(0, 0)));
    return new DmarTable(
            new AcpiHeader(1, "Xen\0\0\0", "HVM\0\0\0\0\0", 0, "HVML", 0),
            unit.silicon().settings().hostAddressWidth(),
            settings.intremap() ? INTERRUPT_REMAPPING : 0,
            List.of(new Drhd(0, settings.base().value(), 0, true, List.of(ioApic))),
            List.of())
        .encode();
  }
}
