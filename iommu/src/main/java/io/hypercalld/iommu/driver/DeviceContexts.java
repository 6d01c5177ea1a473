package io.hypercalld.iommu.driver;

import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.transaction.Transaction;
import io.hypercalld.iommu.pci.PciFunction;
import io.hypercalld.iommu.pci.PciKind;
import io.hypercalld.iommu.pci.PciTopology;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.vtd.ContextEntry;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The context entries under which a device's requests may arrive: its own, those of its phantom
 * functions, and of the bridges that hide it. Confined to the machine thread.
 *
 * @see "xen/drivers/passthrough/vtd/iommu.c, domain_context_mapping and domain_context_unmap"
 */
final class DeviceContexts {
  private final VtdDriver driver;
  private final PciTopology topology;
  private final Quarantine quarantine;

  DeviceContexts(VtdDriver driver, PciTopology topology, Quarantine quarantine) {
    this.driver = driver;
    this.topology = topology;
    this.quarantine = quarantine;
  }

  /** Whether requests of the function carry an id of its own, and so need a context entry. */
  static boolean isRequester(PciFunction function) {
    return switch (function.kind()) {
      case PCIE_ENDPOINT, PCI -> true;
      case PCIE_BRIDGE, PCIE_TO_PCI_BRIDGE, LEGACY_PCI_BRIDGE -> false;
      case HOST_BRIDGE, PCI_TO_PCIE_BRIDGE, UNKNOWN -> false;
    };
  }

  /**
   * Refuses what can be given to nobody but the hardware domain.
   *
   * @throws Refusal EPERM a host bridge; EINVAL of no kind that can be given away
   */
  static void requireMovable(PciFunction function) {
    switch (function.kind()) {
      case PCIE_ENDPOINT, PCI, PCIE_BRIDGE, PCIE_TO_PCI_BRIDGE, LEGACY_PCI_BRIDGE -> {}
      case HOST_BRIDGE -> throw Refusal.of(Errno.EPERM, "%s is a host bridge", function.sbdf());
      case PCI_TO_PCIE_BRIDGE, UNKNOWN ->
          throw Refusal.of(
              Errno.EINVAL, "%s is of no kind that can be given away", function.sbdf());
    }
  }

  /**
   * Switches every entry of the device over to what the target's devices go through.
   *
   * @throws Refusal ENODEV no unit covers it; EBUSY, EOPNOTSUPP as bridges demand; EBUSY no
   *     domain-id; ENOMEM; EIO the unit does not obey
   */
  void pointAt(Transaction steps, PciDevice device, DomainId target) {
    if (!isRequester(device.function())) {
      return;
    }
    UnitDriver unit = device.requireUnit();
    Optional<Reach> reach = reach(device, target);
    if (reach.isPresent()) {
      requireMappable(device, target);
    }
    // What the device kept of the old entry is gone before the new one counts.
    setAts(steps, device, false);
    for (SourceId requester : requesters(device, target)) {
      reach.ifPresentOrElse(
          to -> unit.entries().attach(steps, requester, to),
          () -> unit.entries().detach(steps, requester));
      tell(unit, requester, device, target);
    }
    setAts(steps, device, mayKeepTranslations(device));
  }

  private void tell(UnitDriver unit, SourceId requester, PciDevice device, DomainId target) {
    if (driver.notices().hears(IommuNotice.CONTEXT_UPDATED)) {
      ContextEntry entry = unit.contextEntry(requester);
      driver
          .notices()
          .tell(
              IommuNotice.CONTEXT_UPDATED,
              new IommuNotice.Context(
                  unit.index(),
                  device.sbdf(),
                  requester,
                  target,
                  entry.isPresent() ? Optional.of(entry.domainId()) : Optional.empty()));
    }
  }

  private void setAts(Transaction steps, PciDevice device, boolean on) {
    boolean before = device.keepsTranslations;
    if (before != on) {
      setAts(device, on);
      steps.onFailure(() -> setAts(device, before));
    }
  }

  private void setAts(PciDevice device, boolean on) {
    device.keepsTranslations = on;
    driver.ats().enable(device.sbdf(), on);
  }

  /** As far as its context entry, its capability and its root port let it. */
  private boolean mayKeepTranslations(PciDevice device) {
    return device.function().ats()
        && device.requireUnit().entries().mayUseDeviceTlb(device.sbdf().sourceId())
        && driver.ats().permits(device.sbdf());
  }

  /** Has a device keep no translations any more. */
  void disableAts(PciDevice device) {
    if (device.keepsTranslations) {
      setAts(device, false);
    }
  }

  /**
   * Refuses what bridges above the device forbid.
   *
   * @throws Refusal EBUSY a sibling is another guest's; EOPNOTSUPP a device with a reserved region
   *     that is mapped already is to change its owner
   */
  void requireMappable(PciDevice device, DomainId target) {
    if (device.function().kind() == PciKind.PCI
        && topology.upstreamBridge(device.sbdf()).isPresent()) {
      requireSameGuest(device, target, guestsAmongSiblings(device));
      requireNoReservedRegion(device, target);
    }
  }

  /** What the target's devices go through; empty where all their requests fault. */
  Optional<Reach> reach(PciDevice device, DomainId target) {
    if (target.equals(device.owner()) && device.pasids.isPresent()) {
      AddressSpace own = driver.iommuOf(target).addressSpace();
      return device.pasids.flatMap(view -> view.reach(own));
    }
    if (target.equals(device.owner()) && device.ioContext.isPresent()) {
      return device.ioContext.map(IoContext::addressSpace).map(Reach::of);
    }
    return target.equals(DomainId.IO)
        ? quarantine.addressSpace(device).map(Reach::of)
        : Optional.of(Reach.of(driver.iommuOf(hardwareDomainFor(target)).addressSpace()));
  }

  /** Hidden devices translate as the hardware domain's do. */
  private static DomainId hardwareDomainFor(DomainId target) {
    return target.equals(DomainId.XEN) ? DomainId.DOM0 : target;
  }

  /**
   * Takes every entry of the device away, for good.
   *
   * @throws Refusal EIO the unit did not obey; the entries are gone all the same
   */
  void detach(PciDevice device) {
    if (!isRequester(device.function())) {
      return;
    }
    disableAts(device);
    UnitDriver unit = device.requireUnit();
    Optional<Refusal> failure = Optional.empty();
    for (SourceId requester : requesters(device, DomainId.IO)) {
      try {
        unit.entries().detach(requester);
        tell(unit, requester, device, device.owner());
      } catch (Refusal disobedience) {
        failure = failure.or(() -> Optional.of(disobedience));
      }
    }
    failure.ifPresent(
        refusal -> {
          throw refusal;
        });
  }

  /**
   * Takes away the entries that a broken device has left; what its unit was told is not repeated.
   */
  void cutOff(PciDevice device) {
    disableAts(device);
    UnitDriver unit = device.requireUnit();
    for (SourceId requester : requesters(device, DomainId.IO)) {
      if (unit.contextEntry(requester).isPresent()) {
        try {
          unit.entries().detach(requester);
        } catch (Refusal disobedience) {
          // It is noted with the others that the unit may remember.
        }
      }
    }
  }

  /**
   * An entry that is gone and that a unit may act on still.
   *
   * @param domainId the id under which it may
   */
  record Remembered(SourceId requester, int domainId) {}

  /** Those of the device's ids, of which some may be its siblings', too. */
  Set<Remembered> remembered(PciDevice device) {
    Set<Remembered> found = new HashSet<>();
    device
        .unit()
        .ifPresent(
            unit -> {
              for (SourceId requester : topology.requesterIds(device.sbdf())) {
                unit.domainIds()
                    .unforgotten(requester)
                    .forEach(did -> found.add(new Remembered(requester, did)));
              }
            });
    return found;
  }

  /**
   * The requester ids to switch: the device's own, and those of the bridges above it unless a
   * sibling uses them for another domain.
   */
  private List<SourceId> requesters(PciDevice device, DomainId target) {
    List<SourceId> own = new ArrayList<>(List.of(device.sbdf().sourceId()));
    own.addAll(PciTopology.phantomIds(device.function()));
    List<SourceId> all = topology.requesterIds(device.sbdf());
    if (all.size() == own.size()) {
      return all;
    }
    boolean inUse = guestsAmongSiblings(device).stream().anyMatch(owner -> !owner.equals(target));
    return inUse ? own : all;
  }

  private List<DomainId> guestsAmongSiblings(PciDevice device) {
    return topology.groupMembers(device.sbdf()).stream()
        .filter(member -> member.kind() == PciKind.PCI && !member.sbdf().equals(device.sbdf()))
        .flatMap(member -> driver.devices().find(member.sbdf()).stream())
        .map(PciDevice::owner)
        .filter(DeviceAssignment::isGuest)
        .toList();
  }

  /** Requests of siblings may carry the same bridge's id, which can mean one domain only. */
  private static void requireSameGuest(PciDevice device, DomainId target, List<DomainId> siblings) {
    siblings.stream()
        .filter(owner -> DeviceAssignment.isGuest(target) && !owner.equals(target))
        .findFirst()
        .ifPresent(
            owner -> {
              throw Refusal.of(
                  Errno.EBUSY,
                  "%s shares its bridge with a device of domain %d",
                  device.sbdf(),
                  owner.value());
            });
  }

  private void requireNoReservedRegion(PciDevice device, DomainId target) {
    Sbdf sbdf = device.sbdf();
    boolean present = device.requireUnit().contextEntry(sbdf.sourceId()).isPresent();
    boolean changes = !device.owner().equals(target);
    if (present && changes && !driver.reservedRegionsOf(sbdf).isEmpty()) {
      throw Refusal.of(Errno.EOPNOTSUPP, "%s has a reserved region and lies behind a bridge", sbdf);
    }
  }
}
