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
import io.hypercalld.iommu.platform.ReservedRegion;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Moves devices between owners: the hardware switches first, entry by entry, and only then the
 * record of who owns what. Any refusal leaves the device, the tables and the domain-ids as they
 * were. Confined to the machine thread.
 *
 * @see "xen/drivers/passthrough/pci.c, xen/drivers/passthrough/vtd/iommu.c"
 */
public final class DeviceAssignment {
  private final VtdDriver driver;
  private final DeviceTable devices;
  private final PciTopology topology;
  private final Quarantine quarantine;

  DeviceAssignment(VtdDriver driver, PciTopology topology, Quarantine quarantine) {
    this.driver = driver;
    this.devices = driver.devices();
    this.topology = topology;
    this.quarantine = quarantine;
  }

  /**
   * Gives a device of the hardware domain or in quarantine to a domain, or to {@link DomainId#IO}.
   *
   * @param relaxed whether a reserved region that other devices share, or that the domain uses, is
   *     tolerated
   * @param guestAddress where the domain wants to see it; the first free slot where empty
   * @throws Refusal ENODEV unknown, or no unit covers it; EBUSY another guest has it, its group or
   *     the guest address, or no domain-id is free; EXDEV the domain's pages come and go; EBADF
   *     broken; EPERM a host bridge, or a shared reserved region; EADDRINUSE, EBUSY the reserved
   *     region is in the way; EOPNOTSUPP a reserved region behind a bridge; EINVAL a kind of
   *     function that cannot be given; ENOMEM, ENOSPC; EIO
   */
  public void assign(DomainId target, Sbdf sbdf, boolean relaxed, Optional<Sbdf> guestAddress) {
    PciDevice device = requireAvailable(sbdf);
    requireNoVeto(target);
    if (device.broken) {
      throw Refusal.of(Errno.EBADF, "%s is broken", sbdf);
    }
    requireMovable(device.function());
    Optional<Sbdf> place = target.isOrdinary() ? place(target, guestAddress) : Optional.empty();
    Transaction.run(
        steps -> {
          if (!device.owner().equals(DomainId.IO)) {
            quarantine.prepare(steps, device);
          }
          if (!target.equals(DomainId.IO)) {
            provideReservedRegions(steps, device, target, relaxed);
            driver.iommuOf(target).provideTable(steps);
          }
          reassign(steps, device, target);
          return device;
        });
    device.guestAddress = place;
    device.quarantined |= target.equals(DomainId.IO);
  }

  private void requireNoVeto(DomainId target) {
    if (target.isOrdinary()) {
      driver
          .vetoOf(target)
          .ifPresent(
              reason -> {
                throw Refusal.of(Errno.EXDEV, "%s can be given no device: %s", target, reason);
              });
    }
  }

  /**
   * Takes a device from its owner: into quarantine, or from there back to the hardware domain.
   *
   * @throws Refusal ENODEV unknown or not the owner's; as {@link #assign} where it cannot be moved
   */
  public void deassign(DomainId owner, Sbdf sbdf) {
    PciDevice device =
        devices
            .find(sbdf)
            .filter(found -> found.owner().equals(owner))
            .orElseThrow(() -> Refusal.of(Errno.ENODEV, "%s does not own %s", owner, sbdf));
    DomainId next = quarantine.nextOwner(device);
    Transaction.run(
        steps -> {
          quarantine.prepare(steps, device);
          reassign(steps, device, next);
          return device;
        });
    device.guestAddress = Optional.empty();
    device.quarantined &= !next.equals(DomainId.DOM0);
  }

  /**
   * The device, if it could be assigned now as far as ownership goes.
   *
   * @throws Refusal ENODEV it is unknown; EBUSY a guest owns it, or it is hidden
   */
  public PciDevice requireAvailable(Sbdf sbdf) {
    PciDevice device =
        devices
            .find(sbdf)
            .orElseThrow(() -> Refusal.of(Errno.ENODEV, "no device %s is known", sbdf));
    DomainId owner = device.owner();
    if (!owner.equals(DomainId.DOM0) && !owner.equals(DomainId.IO)) {
      throw Refusal.of(Errno.EBUSY, "%s is assigned to domain %d", sbdf, owner.value());
    }
    return device;
  }

  /** Takes one device from a domain that is going; false where it has none. */
  boolean releaseOne(DomainId owner) {
    Optional<PciDevice> first = devices.ownedBy(owner).stream().findFirst();
    first.ifPresent(
        device -> {
          try {
            deassign(owner, device.sbdf());
          } catch (Refusal failure) {
            // The hardware may still remember the domain: nobody gets this device again.
            device.broken = true;
            devices.transfer(device, DomainId.IO);
          }
        });
    return first.isPresent();
  }

  /** Ends a device's DMA for good: no context entry, no domain-id, no private table. */
  void withdraw(PciDevice device) {
    Transaction.run(
        steps -> {
          if (isRequester(device.function())) {
            UnitDriver unit = device.requireUnit();
            requesters(device, DomainId.IO).forEach(requester -> unit.detach(steps, requester));
          }
          return device;
        });
    DomainId owner = device.owner();
    devices.transfer(device, DomainId.IO);
    leave(device, owner);
    quarantine.discard(device);
  }

  private Optional<Sbdf> place(DomainId target, Optional<Sbdf> wanted) {
    var present = devices.ownedBy(target);
    wanted
        .filter(place -> GuestSlots.isTaken(present, place))
        .ifPresent(
            place -> {
              throw Refusal.of(Errno.EBUSY, "%s has a device at %s already", target, place);
            });
    return wanted.or(() -> GuestSlots.firstFree(present));
  }

  private void provideReservedRegions(
      Transaction steps, PciDevice device, DomainId target, boolean relaxed) {
    List<ReservedRegion> regions = driver.reservedRegionsOf(device.sbdf());
    for (ReservedRegion region : regions) {
      if (!relaxed && region.devices().size() > 1) {
        throw Refusal.of(
            Errno.EPERM,
            "%s shares reserved region 0x%x-0x%x with other devices",
            device.sbdf(),
            region.base(),
            region.limit());
      }
    }
    // The scarce thing first: where ids have run out, nothing at all is written.
    device.unit().ifPresent(unit -> unit.claimDomainId(steps, target));
    ReservedRegions identity = driver.iommuOf(target).reservedRegions();
    regions.forEach(region -> identity.acquire(steps, region, relaxed));
  }

  private void reassign(Transaction steps, PciDevice device, DomainId target) {
    pointAt(steps, device, target);
    DomainId source = device.owner();
    devices.transfer(device, target);
    leave(device, source);
  }

  /** Gives back what the domain had for the device's sake; the hardware has switched. */
  private void leave(PciDevice device, DomainId source) {
    releaseDomainId(device, source);
    if (isGuest(source)) {
      ReservedRegions identity = driver.iommuOf(source).reservedRegions();
      driver.reservedRegionsOf(device.sbdf()).forEach(identity::release);
      driver.iommuOf(source).leftByDevice();
    }
  }

  /** Switches every context entry of the device over to what the target's devices go through. */
  void pointAt(Transaction steps, PciDevice device, DomainId target) {
    if (!isRequester(device.function())) {
      return;
    }
    UnitDriver unit = device.requireUnit();
    Optional<AddressSpace> space =
        target.equals(DomainId.IO)
            ? quarantine.addressSpace(device)
            : Optional.of(driver.iommuOf(target).addressSpace());
    for (SourceId requester : requesters(device, target)) {
      space.ifPresentOrElse(
          to -> unit.attach(steps, requester, to), () -> unit.detach(steps, requester));
    }
  }

  /** Whether requests of the function carry an id of its own, and so need a context entry. */
  private static boolean isRequester(PciFunction function) {
    return switch (function.kind()) {
      case PCIE_ENDPOINT, PCI -> true;
      case PCIE_BRIDGE, PCIE_TO_PCI_BRIDGE, LEGACY_PCI_BRIDGE -> false;
      case HOST_BRIDGE, PCI_TO_PCIE_BRIDGE, UNKNOWN -> false;
    };
  }

  private static void requireMovable(PciFunction function) {
    switch (function.kind()) {
      case PCIE_ENDPOINT, PCI, PCIE_BRIDGE, PCIE_TO_PCI_BRIDGE, LEGACY_PCI_BRIDGE -> {}
      case HOST_BRIDGE -> throw Refusal.of(Errno.EPERM, "%s is a host bridge", function.sbdf());
      case PCI_TO_PCIE_BRIDGE, UNKNOWN ->
          throw Refusal.of(
              Errno.EINVAL, "%s is of no kind that can be given away", function.sbdf());
    }
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
    List<DomainId> siblings = guestsAmongSiblings(device);
    requireSameGuest(device, target, siblings);
    requireNoReservedRegion(device, target);
    boolean inUse = siblings.stream().anyMatch(owner -> !owner.equals(target));
    return inUse ? own : all;
  }

  private List<DomainId> guestsAmongSiblings(PciDevice device) {
    return topology.groupMembers(device.sbdf()).stream()
        .filter(member -> member.kind() == PciKind.PCI && !member.sbdf().equals(device.sbdf()))
        .flatMap(member -> devices.find(member.sbdf()).stream())
        .map(PciDevice::owner)
        .filter(DeviceAssignment::isGuest)
        .toList();
  }

  /** Requests of siblings may carry the same bridge's id, which can mean one domain only. */
  private static void requireSameGuest(PciDevice device, DomainId target, List<DomainId> siblings) {
    siblings.stream()
        .filter(owner -> isGuest(target) && !owner.equals(target))
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
    boolean present = device.requireUnit().contextEntry(device.sbdf().sourceId()).isPresent();
    boolean changes = !device.owner().equals(target);
    if (present && changes && !driver.reservedRegionsOf(device.sbdf()).isEmpty()) {
      throw Refusal.of(
          Errno.EOPNOTSUPP, "%s has a reserved region and lies behind a bridge", device.sbdf());
    }
  }

  /** Frees the source's domain-id on the device's unit where no other of its devices uses it. */
  private void releaseDomainId(PciDevice device, DomainId source) {
    if (source.equals(DomainId.IO)) {
      return;
    }
    boolean inUse =
        usesUnit(source, device) || (isHardwareDomain(source) && usesUnit(DomainId.XEN, device));
    if (!inUse) {
      device.unit().ifPresent(unit -> unit.releaseDomainId(source));
    }
  }

  private boolean usesUnit(DomainId owner, PciDevice device) {
    return devices.ownedBy(owner).stream().anyMatch(other -> other.unit().equals(device.unit()));
  }

  private static boolean isHardwareDomain(DomainId id) {
    return id.equals(DomainId.DOM0);
  }

  private static boolean isGuest(DomainId id) {
    return id.isOrdinary() && !isHardwareDomain(id);
  }
}
