package io.hypercalld.api.machine;

import io.hypercalld.core.domain.Domain;
import io.hypercalld.iommu.virtual.ViommuApi;
import io.hypercalld.iommu.virtual.VirtualIommu;
import io.hypercalld.iommu.virtual.VirtualUnitSettings;
import java.util.Optional;

/**
 * What is chosen for a domain's virtual IOMMU when the domain is made. Immutable.
 *
 * @param wanted the unit that it is to have from the beginning
 * @param api the generation of the hypercall that its toolstack speaks; empty for the last
 */
public record ViommuChoices(Optional<VirtualUnitSettings> wanted, Optional<ViommuApi> api) {
  /** Nothing in particular. */
  public static final ViommuChoices NONE = new ViommuChoices(Optional.empty(), Optional.empty());

  void applyTo(Machine machine, Domain domain) {
    if (equals(NONE)) {
      return;
    }
    VirtualIommu iommu = machine.virtualIommus().of(domain);
    api.ifPresent(iommu::choose);
    wanted.ifPresent(iommu::create);
  }
}
