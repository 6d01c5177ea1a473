package io.hypercalld.iommu.driver;

import io.hypercalld.iommu.acpi.UnitScopes;
import io.hypercalld.iommu.pci.PciTopology;
import io.hypercalld.iommu.platform.ReservedRegion;
import io.hypercalld.iommu.vtd.Mmio;
import java.util.List;

/**
 * The hardware that the driver finds: what it may touch of it, and nothing else. Immutable.
 *
 * @param units the register windows, in the order of the DMAR table
 * @param topology the PCI functions that exist
 * @param scopes which unit covers which function
 * @param reservedRegions memory that some devices must always reach
 * @param permit what firmware says of interrupts
 * @param ats by which functions are told to keep translations or not
 */
public record RemappingHardware(
    List<Mmio> units,
    PciTopology topology,
    UnitScopes scopes,
    List<ReservedRegion> reservedRegions,
    InterruptRemapping.Permit permit,
    AtsControl ats) {
  public RemappingHardware {
    units = List.copyOf(units);
    reservedRegions = List.copyOf(reservedRegions);
  }

  /** Hardware whose firmware permits everything. */
  public RemappingHardware(
      List<Mmio> units,
      PciTopology topology,
      UnitScopes scopes,
      List<ReservedRegion> reservedRegions) {
    this(units, topology, scopes, reservedRegions, InterruptRemapping.Permit.ALL, AtsControl.NONE);
  }
}
