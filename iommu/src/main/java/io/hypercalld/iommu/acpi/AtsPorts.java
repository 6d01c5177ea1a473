package io.hypercalld.iommu.acpi;

import io.hypercalld.iommu.pci.PciFunction;
import io.hypercalld.iommu.pci.PciTopology;
import io.hypercalld.iommu.pci.Sbdf;
import java.util.List;

/**
 * Which functions may keep translations as far as the root complex goes: those below the root ports
 * that firmware names. Confined to the machine thread.
 *
 * @see "VT-d §8.5; xen/drivers/passthrough/vtd/dmar.c, acpi_find_matched_atsr_unit"
 */
public final class AtsPorts {
  private final List<Atsr> structures;
  private final PciTopology topology;

  public AtsPorts(List<Atsr> structures, PciTopology topology) {
    this.structures = List.copyOf(structures);
    this.topology = topology;
  }

  /** Whether a function may; a virtual one where its physical function may. */
  public boolean permit(Sbdf sbdf) {
    Sbdf place = topology.find(sbdf).flatMap(PciFunction::physicalFunction).orElse(sbdf);
    return structures.stream()
        .filter(atsr -> atsr.segment() == place.segment())
        .anyMatch(
            atsr ->
                atsr.allPorts()
                    || atsr.scopes().stream()
                        .anyMatch(
                            scope -> UnitScopes.claims(topology, atsr.segment(), scope, place)));
  }
}
