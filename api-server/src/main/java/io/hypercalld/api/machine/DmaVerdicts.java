package io.hypercalld.api.machine;

import io.hypercalld.core.dma.DomainDma;
import io.hypercalld.core.dma.FrameRights;
import io.hypercalld.core.dma.Victim;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.iommu.driver.DeviceNotice;
import io.hypercalld.iommu.driver.PciDevice;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.unit.DmaOutcome;
import io.hypercalld.iommu.unit.DmaSegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Whose frames devices reach. Nothing stops a device here: that is what remapping units are for.
 * Confined to the machine thread.
 */
public final class DmaVerdicts {
  private final Machine machine;
  private final FrameRights rights;

  DmaVerdicts(Machine machine) {
    this.machine = machine;
    this.rights = new FrameRights(machine.hypervisor().frames());
  }

  /** The frame behind a machine address, where the device's domain has no business with it. */
  public Optional<Victim> victim(Sbdf sbdf, long maddr, boolean writing) {
    return domainOf(sbdf).flatMap(domain -> rights.victim(domain, Mfn.containing(maddr), writing));
  }

  /**
   * The frames that a request reached and should not have; each is counted, printed on the console
   * and told to whoever listens.
   */
  List<Victim> judge(Sbdf sbdf, DmaOutcome outcome, boolean writing) {
    Optional<Domain> domain = domainOf(sbdf);
    if (domain.isEmpty()) {
      return List.of();
    }
    List<Victim> victims = new ArrayList<>();
    for (DmaSegment segment : outcome.segments()) {
      if (segment.end() instanceof DmaSegment.Moved moved) {
        rights
            .victim(domain.get(), Mfn.containing(moved.maddr()), writing)
            .filter(victim -> !victims.contains(victim))
            .ifPresent(victims::add);
      }
    }
    victims.forEach(victim -> report(sbdf, domain.get(), victim, writing));
    return List.copyOf(victims);
  }

  /** Whom the device works for; a quarantined one works for nobody. */
  private Optional<Domain> domainOf(Sbdf sbdf) {
    DomainId owner =
        machine.driver().devices().find(sbdf).map(PciDevice::owner).orElse(DomainId.IO);
    return machine.hypervisor().domains().find(owner.equals(DomainId.XEN) ? DomainId.DOM0 : owner);
  }

  private void report(Sbdf sbdf, Domain by, Victim victim, boolean writing) {
    by.facet(DomainDma.class).stray().count(writing);
    machine.hypervisor().strayDma().count(writing);
    machine
        .hypervisor()
        .console()
        .print("%s of %s %s %s".formatted(sbdf, by.id(), writing ? "wrote" : "read", victim));
    machine
        .hypervisor()
        .notices()
        .tell(DeviceNotice.STRAY, new DeviceNotice.Stray(sbdf, by.id(), writing, victim));
  }
}
