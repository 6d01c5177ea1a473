package io.hypercalld.iommu.audit;

import io.hypercalld.core.domain.DomainId;
import io.hypercalld.iommu.driver.PciDevice;
import io.hypercalld.iommu.driver.UnitDriver;
import io.hypercalld.iommu.driver.VtdDriver;
import io.hypercalld.iommu.pci.PciKind;
import io.hypercalld.iommu.pci.PciTopology;
import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.vtd.ContextEntry;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** I1, I2, I8: who owns what, in the driver's books and in the context entries. */
final class OwnershipAudit {
  private final VtdDriver driver;
  private final PciTopology topology;

  OwnershipAudit(VtdDriver driver, PciTopology topology) {
    this.driver = driver;
    this.topology = topology;
  }

  List<Violation> violations() {
    List<Violation> found = new ArrayList<>();
    driver.units().forEach(unit -> checkDomainIds(unit, found));
    driver.devices().all().forEach(device -> checkDevice(device, found));
    return found;
  }

  private void checkDomainIds(UnitDriver unit, List<Violation> found) {
    Set<DomainId> expected = new TreeSet<>(unit.domainIds().leaving());
    for (PciDevice device : driver.devices().all()) {
      if (device.unit().filter(unit::equals).isPresent()) {
        expectedUsers(device).forEach(expected::add);
      }
    }
    Set<DomainId> actual = new TreeSet<>();
    unit.domainIds().inUse().forEach(use -> actual.add(use.owner()));
    boolean agree =
        unit.domainIds().outliveDevices() ? actual.containsAll(expected) : actual.equals(expected);
    if (!agree) {
      found.add(
          new Violation(
              "I1",
              "iommu %d has domain-ids for %s, but its devices belong to %s"
                  .formatted(unit.index(), names(actual), names(expected))));
    }
  }

  private static List<DomainId> expectedUsers(PciDevice device) {
    List<DomainId> users = new ArrayList<>();
    device.quarantineTag().ifPresent(users::add);
    if (device.ioContext().isPresent() || device.pasids().isPresent()) {
      users.addAll(device.tags());
    }
    if (!device.owner().equals(DomainId.IO)) {
      users.add(IommuAudit.user(device.owner()));
    }
    return users;
  }

  private static String names(Set<DomainId> owners) {
    return owners.stream().map(DomainId::toString).collect(Collectors.joining(", ", "{", "}"));
  }

  private void checkDevice(PciDevice device, List<Violation> found) {
    if (driver.devices().ownedBy(device.owner()).stream().filter(device::equals).count() != 1) {
      found.add(
          new Violation(
              "I8", "%s is not in the list of %s".formatted(device.sbdf(), device.owner())));
    }
    boolean requester =
        device.function().kind() == PciKind.PCIE_ENDPOINT
            || device.function().kind() == PciKind.PCI;
    if (requester) {
      device.unit().ifPresent(unit -> checkContext(unit, device, found));
    }
  }

  private void checkContext(UnitDriver unit, PciDevice device, List<Violation> found) {
    List<SourceId> own = new ArrayList<>(PciTopology.phantomIds(device.function()));
    own.add(device.sbdf().sourceId());
    for (SourceId requester : own) {
      ContextEntry entry = unit.contextEntry(requester);
      Optional<DomainId> actual =
          entry.isPresent() ? unit.ownerOf(entry.domainId()) : Optional.empty();
      Optional<DomainId> expected = IommuAudit.expectedTag(device);
      if (!isCutOff(device, entry)
          && (entry.isPresent() != expected.isPresent() || !actual.equals(expected))) {
        found.add(
            new Violation(
                "I2",
                "%s belongs to %s, but its context entry on iommu %d is of %s"
                    .formatted(
                        requester,
                        device.owner(),
                        unit.index(),
                        actual.map(DomainId::toString).orElse("nobody"))));
      }
    }
    checkAliases(unit, device, own, found);
  }

  /** Where a unit did not obey, the device is broken and has no entry, whoever it belongs to. */
  private static boolean isCutOff(PciDevice device, ContextEntry entry) {
    return device.state() == PciDevice.State.BROKEN && !entry.isPresent();
  }

  /** The ids of bridges belong to whichever guest has a device below that works, if one has. */
  private void checkAliases(
      UnitDriver unit, PciDevice device, List<SourceId> own, List<Violation> found) {
    boolean guest =
        device.owner().isOrdinary()
            && !device.owner().equals(DomainId.DOM0)
            && device.state() != PciDevice.State.BROKEN;
    for (SourceId alias : topology.requesterIds(device.sbdf())) {
      ContextEntry entry = unit.contextEntry(alias);
      if (guest
          && !own.contains(alias)
          && !unit.ownerOf(entry.domainId()).equals(IommuAudit.expectedTag(device))) {
        found.add(
            new Violation(
                "I2",
                "%s belongs to %s, but the id of its bridge, %s, does not"
                    .formatted(device.sbdf(), device.owner(), alias)));
      }
    }
  }
}
