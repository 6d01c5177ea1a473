package io.hypercalld.api.machine;

import io.hypercalld.iommu.acpi.AtsPorts;
import io.hypercalld.iommu.acpi.UnitScopes;
import io.hypercalld.iommu.driver.AtsControl;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.unit.RemappingUnit;
import java.util.List;

/** The ATS control registers of a machine's functions. Confined to the machine thread. */
record AtsRegisters(AtsPorts ports, UnitScopes scopes, List<RemappingUnit> units)
    implements AtsControl {
  AtsRegisters {
    units = List.copyOf(units);
  }

  @Override
  public boolean permits(Sbdf sbdf) {
    return ports.permit(sbdf);
  }

  @Override
  public void enable(Sbdf sbdf, boolean on) {
    scopes
        .unitOf(sbdf)
        .ifPresent(unit -> units.get(unit).endpoints().of(sbdf.sourceId()).enableTranslations(on));
  }
}
