package io.hypercalld.iommu.pci;

import java.util.Locale;

/**
 * What a function is to the hypervisor that gives devices away.
 *
 * @see "xen/drivers/passthrough/pci.c, pdev_type"
 */
public enum PciKind {
  PCIE_ENDPOINT,
  /** A root port, or a port of a switch: has no alias, and its traffic keeps its requester ids. */
  PCIE_BRIDGE,
  /** PCI Express above, conventional PCI below. */
  PCIE_TO_PCI_BRIDGE,
  /** Conventional PCI above, PCI Express below. */
  PCI_TO_PCIE_BRIDGE,
  /** A PCI-to-PCI bridge without PCI Express capability. */
  LEGACY_PCI_BRIDGE,
  /** A conventional PCI function: its requests may carry the id of a bridge. */
  PCI,
  HOST_BRIDGE,
  /** A function that answers with all ones. */
  UNKNOWN;

  private static final int HOST_BRIDGE_CLASS = 0x0600;
  private static final int PCI_BRIDGE_CLASS = 0x0604;
  private static final int ABSENT_CLASS = 0xffff;

  /**
   * The kind of a conventional function.
   *
   * @param baseAndSubclass the 16-bit class code without programming interface
   */
  public static PciKind conventional(int baseAndSubclass) {
    return switch (baseAndSubclass) {
      case PCI_BRIDGE_CLASS -> LEGACY_PCI_BRIDGE;
      case HOST_BRIDGE_CLASS -> HOST_BRIDGE;
      case ABSENT_CLASS -> UNKNOWN;
      default -> PCI;
    };
  }

  /**
   * The kind of a function with a PCI Express capability.
   *
   * @param baseAndSubclass the 16-bit class code without programming interface
   */
  public static PciKind express(int baseAndSubclass, ExpressType type) {
    return switch (baseAndSubclass) {
      case PCI_BRIDGE_CLASS -> bridge(type);
      case HOST_BRIDGE_CLASS -> HOST_BRIDGE;
      case ABSENT_CLASS -> UNKNOWN;
      default -> PCIE_ENDPOINT;
    };
  }

  private static PciKind bridge(ExpressType type) {
    return switch (type) {
      case PCIE_TO_PCI_BRIDGE -> PCIE_TO_PCI_BRIDGE;
      case PCI_TO_PCIE_BRIDGE -> PCI_TO_PCIE_BRIDGE;
      case PORT_OR_ENDPOINT -> PCIE_BRIDGE;
    };
  }

  /** What the PCI Express capability's device/port type says that matters here. */
  public enum ExpressType {
    PORT_OR_ENDPOINT,
    PCIE_TO_PCI_BRIDGE,
    PCI_TO_PCIE_BRIDGE;

    /** From bits 7:4 of the PCI Express Capabilities Register. */
    public static ExpressType ofDevicePortType(int type) {
      return switch (type) {
        case 7 -> PCIE_TO_PCI_BRIDGE;
        case 8 -> PCI_TO_PCIE_BRIDGE;
        default -> PORT_OR_ENDPOINT;
      };
    }
  }

  /** Whether functions may lie on buses below it. */
  public boolean isBridge() {
    return switch (this) {
      case PCIE_BRIDGE, PCIE_TO_PCI_BRIDGE, PCI_TO_PCIE_BRIDGE, LEGACY_PCI_BRIDGE -> true;
      case PCIE_ENDPOINT, PCI, HOST_BRIDGE, UNKNOWN -> false;
    };
  }

  /** Whether requests from below it may carry its requester id instead of their own. */
  public boolean isAliasing() {
    return isBridge() && this != PCIE_BRIDGE;
  }

  /** As platform files spell it: {@code pcie-to-pci-bridge}. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
