package io.hypercalld.iommu.audit;

import io.hypercalld.core.Hypervisor;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.iommu.driver.IoContext;
import io.hypercalld.iommu.driver.PciDevice;
import io.hypercalld.iommu.driver.UnitDriver;
import io.hypercalld.iommu.driver.VtdDriver;
import io.hypercalld.iommu.interrupt.MachineInterrupts;
import io.hypercalld.iommu.pci.PciTopology;
import io.hypercalld.iommu.unit.RemappingUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Checks everything that must hold between device ownership, domain-ids, tables and caches whenever
 * no operation is under way. Confined to the machine thread.
 *
 * <ul>
 *   <li>I1 a domain-id is in use exactly where its owner has a device, a private quarantine table,
 *       or nothing any more that the unit would have forgotten
 *   <li>I2 a present context entry carries the domain-id of whoever owns the requester
 *   <li>I3 a domain-id goes with one table, is one that the unit tells apart, and is not the one
 *       that caching mode keeps for entries that are not present
 *   <li>I4 no cache holds an entry of a free domain-id
 *   <li>I5 every table that a context entry leads to is a table of that owner
 *   <li>I6 every cached entry says what the tables in memory say
 *   <li>I7 every interrupt-remapping entry in use is that of an interrupt which somebody has, and
 *       takes it from the device that sends it
 *   <li>I8 each device is in one owner's list
 *   <li>I9 a separate table says what the P2M it follows says
 * </ul>
 */
public final class IommuAudit {
  private final VtdDriver driver;
  private final List<RemappingUnit> units;
  private final OwnershipAudit ownership;
  private final TableAudit tables;
  private final MirrorAudit mirrors;
  private final InterruptAudit interrupts;

  /** An audit of a machine. */
  public IommuAudit(Hypervisor hypervisor, VtdDriver driver, Hardware hardware) {
    this.driver = driver;
    List<RemappingUnit> units = hardware.units();
    PciTopology topology = hardware.topology();
    this.interrupts = new InterruptAudit(hypervisor, driver, hardware.interrupts());
    this.units = List.copyOf(units);
    this.ownership = new OwnershipAudit(driver, topology);
    this.tables = new TableAudit(hypervisor, driver);
    this.mirrors = new MirrorAudit(hypervisor, driver);
  }

  /**
   * What the driver's books are held against. Immutable.
   *
   * @param units in the order of the driver's
   */
  public record Hardware(
      PciTopology topology, List<RemappingUnit> units, MachineInterrupts interrupts) {
    public Hardware {
      units = List.copyOf(units);
    }
  }

  /** What does not hold, in a fixed order; empty where all is well. */
  public List<Violation> violations() {
    List<Violation> found = new ArrayList<>(ownership.violations());
    for (UnitDriver unit : driver.units()) {
      tables.check(unit, found);
      new CacheAudit(unit, units.get(unit.index()), tables).check(found);
    }
    interrupts.check(found);
    mirrors.check(found);
    return found;
  }

  /**
   * Whose domain-id the device's context entries should carry; empty where they should be absent.
   */
  static Optional<DomainId> expectedTag(PciDevice device) {
    if (device.pasids().isPresent()) {
      return device.pasids().flatMap(view -> view.requestTag(device.owner()));
    }
    Optional<DomainId> context = device.ioContext().map(IoContext::tag);
    if (context.isPresent()) {
      return context;
    }
    return device.owner().equals(DomainId.IO)
        ? device.quarantineTag()
        : Optional.of(user(device.owner()));
  }

  /** Hidden devices translate as the hardware domain's do. */
  static DomainId user(DomainId owner) {
    return owner.equals(DomainId.XEN) ? DomainId.DOM0 : owner;
  }
}
