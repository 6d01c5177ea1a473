package io.hypercalld.iommu.platform;

import io.hypercalld.iommu.acpi.DeviceScope;
import io.hypercalld.iommu.acpi.Drhd;
import io.hypercalld.iommu.vtd.Capabilities;
import io.hypercalld.iommu.vtd.CapabilityFields;
import java.util.List;

/**
 * The capability registers of units whose table is known and whose registers are not. Never
 * instantiated.
 *
 * <p>Values that real units of the same class announce, with eight fault records everywhere.
 */
final class UnitTemplate {
  /** Skylake and Kaby Lake clients: 4-level tables, 39 bits of guest address, 256 domains. */
  private static final Capabilities CLIENT =
      withEightFaultRecords(new Capabilities(0x00d2_008c_4066_0462L, 0x00f0_50daL));

  /** Skylake servers: 4-level tables, 48 bits of guest address, 65536 domains. */
  private static final Capabilities SERVER =
      withEightFaultRecords(new Capabilities(0x08d2_078c_106f_0466L, 0x00f0_20dfL));

  private static final int MOST_CLIENT_WIDTH = 39;
  private static final int LAST_FAULT_RECORD = 7;
  private static final int GRAPHICS_DEVICE = 2;

  private UnitTemplate() {}

  /** The unit that firmware defines, in a machine of this address width. */
  static PlatformUnit unit(Drhd definition, int hostAddressWidth) {
    boolean isClient = hostAddressWidth <= MOST_CLIENT_WIDTH;
    Capabilities capabilities = isClient ? CLIENT : SERVER;
    return new PlatformUnit(
        definition, isClient && isGraphics(definition) ? graphics(capabilities) : capabilities);
  }

  private static Capabilities withEightFaultRecords(Capabilities real) {
    return new Capabilities(CapabilityFields.NFR.put(real.cap(), LAST_FAULT_RECORD), real.ecap());
  }

  /** A client's graphics has a unit of its own, which cannot invalidate single pages. */
  private static Capabilities graphics(Capabilities client) {
    long cap = CapabilityFields.PSI.clear(client.cap());
    return new Capabilities(CapabilityFields.MAMV.clear(cap), client.ecap());
  }

  private static boolean isGraphics(Drhd definition) {
    List<DeviceScope> scopes = definition.scopes();
    return !definition.includeAll()
        && scopes.size() == 1
        && scopes.getFirst().type() == DeviceScope.Type.PCI_ENDPOINT
        && scopes.getFirst().startBus() == 0
        && scopes.getFirst().path().equals(List.of(new DeviceScope.Step(GRAPHICS_DEVICE, 0)));
  }
}
