package io.hypercalld.iommu.interrupt;

import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.iommu.pci.PciFunction;
import io.hypercalld.iommu.pci.PciKind;
import io.hypercalld.iommu.pci.PciTopology;
import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.vtd.InterruptEntry;
import java.util.Optional;

/**
 * Which requesters an interrupt entry of a function lets through. Never instantiated.
 *
 * @see "xen/drivers/passthrough/vtd/intremap.c, set_msi_source_id"
 */
final class RequesterRule {
  private static final int EXACT = 0;
  private static final int IGNORE_LAST_BIT = 1;
  private static final int IGNORE_TWO_BITS = 2;
  private static final int IGNORE_FUNCTION = 3;

  private RequesterRule() {}

  /**
   * The entry, for requests of one function only.
   *
   * @throws Refusal EOPNOTSUPP a kind of function that sends no messages
   */
  static InterruptEntry restrict(InterruptEntry entry, PciFunction function, PciTopology topology) {
    SourceId own = function.sbdf().sourceId();
    return switch (function.kind()) {
      case PCIE_ENDPOINT, PCIE_BRIDGE, PCIE_TO_PCI_BRIDGE, HOST_BRIDGE ->
          entry.from(own, qualifier(function.phantomStride()));
      case PCI, LEGACY_PCI_BRIDGE, PCI_TO_PCIE_BRIDGE -> conventional(entry, function, topology);
      case UNKNOWN ->
          throw Refusal.of(Errno.EOPNOTSUPP, "%s is of an unknown kind", function.sbdf());
    };
  }

  private static int qualifier(int phantomStride) {
    return switch (phantomStride) {
      case 1 -> IGNORE_FUNCTION;
      case 2 -> IGNORE_TWO_BITS;
      case 4 -> IGNORE_LAST_BIT;
      default -> EXACT;
    };
  }

  /** A bridge may have put its own id, or any of its bus, into the request. */
  private static InterruptEntry conventional(
      InterruptEntry entry, PciFunction function, PciTopology topology) {
    Optional<PciFunction> bridge = topology.upstreamBridge(function.sbdf());
    if (bridge.isEmpty()) {
      return entry.from(function.sbdf().sourceId(), EXACT);
    }
    SourceId above = bridge.get().sbdf().sourceId();
    return bridge.get().kind() == PciKind.PCIE_TO_PCI_BRIDGE
        ? entry.fromBuses(above.bus(), function.sbdf().bus())
        : entry.from(above, EXACT);
  }
}
