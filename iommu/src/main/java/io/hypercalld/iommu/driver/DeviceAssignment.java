package io.hypercalld.iommu.driver;

import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.transaction.Transaction;
import io.hypercalld.iommu.driver.DeviceContexts.Remembered;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.platform.ReservedRegion;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Moves devices between owners: the hardware switches first, entry by entry, and only then the
 * record of who owns what. Any refusal leaves the device, the tables and the domain-ids as they
 * were, unless the hardware does not obey even then: the device is broken from there on, and the
 * guest that might still be reached by it is crashed. Confined to the machine thread.
 *
 * @see "xen/drivers/passthrough/pci.c, xen/drivers/passthrough/vtd/iommu.c"
 */
public final class DeviceAssignment {
  private final VtdDriver driver;
  private final DeviceTable devices;
  private final DeviceContexts contexts;
  private final Quarantine quarantine;

  DeviceAssignment(VtdDriver driver, DeviceContexts contexts, Quarantine quarantine) {
    this.driver = driver;
    this.devices = driver.devices();
    this.contexts = contexts;
    this.quarantine = quarantine;
  }

  /**
   * Gives a device of the hardware domain or in quarantine to a domain, or to {@link DomainId#IO}.
   *
   * @param relaxed whether a reserved region that other devices share, or that the domain uses, is
   *     tolerated
   * @param guestAddress where the domain wants to see it; the first free slot where empty
   * @throws Refusal ENODEV unknown, or no unit covers it; EBUSY another guest has it, its group or
   *     the guest address, its MSI-X is masked as a whole, or no domain-id is free (EFAULT as
   *     shipped); EXDEV the domain's pages come and go; EBADF broken; EPERM a host bridge, or a
   *     shared reserved region; EADDRINUSE, EBUSY the reserved region is in the way; EOPNOTSUPP a
   *     reserved region behind a bridge, or the guest's own unit promises what the device's lacks;
   *     EINVAL a kind of function that cannot be given; ENOMEM, ENOSPC; EIO
   */
  public void assign(DomainId target, Sbdf sbdf, boolean relaxed, Optional<Sbdf> guestAddress) {
    PciDevice device = requireAvailable(sbdf);
    requireNoVeto(target);
    if (device.broken && isGuest(target)) {
      throw Refusal.of(Errno.EBADF, "%s is broken", sbdf);
    }
    if (device.function().msiXMasked()) {
      throw Refusal.of(Errno.EBUSY, "MSI-X of %s is masked as a whole: was it reset?", sbdf);
    }
    DeviceContexts.requireMovable(device.function());
    Optional<Sbdf> place = target.isOrdinary() ? place(target, guestAddress) : Optional.empty();
    if (isGuest(target)) {
      driver.iommuOf(target).watcher().requireWelcome(device);
    }
    Set<Remembered> before = contexts.remembered(device);
    try {
      Transaction.run(steps -> assign(steps, device, target, relaxed));
    } catch (Refusal refusal) {
      breakIfRemembered(device, target, before);
      throw refusal;
    }
    device.guestAddress = place;
    device.faultRate().forget();
    if (isGuest(target)) {
      driver.iommuOf(target).watcher().arrived(device);
    }
    device.quarantined |= target.equals(DomainId.IO);
    tell(target.equals(DomainId.IO) ? DeviceNotice.QUARANTINED : DeviceNotice.ASSIGNED, device);
  }

  private void tell(DeviceNotice kind, PciDevice device) {
    tell(kind, device, device.owner());
  }

  private void tell(DeviceNotice kind, PciDevice device, DomainId domain) {
    driver.notices().tell(kind, new DeviceNotice.About(device.sbdf(), domain, device.guestAddress));
  }

  private PciDevice assign(Transaction steps, PciDevice device, DomainId target, boolean relaxed) {
    if (!device.owner().equals(DomainId.IO)) {
      quarantine.prepare(steps, device);
    }
    if (!target.equals(DomainId.IO)) {
      provideReservedRegions(steps, device, target, relaxed);
      driver.iommuOf(target).provideTable(steps);
    }
    contexts.pointAt(steps, device, target);
    handOver(device, target);
    return device;
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
   * A rollback that failed: no id of the device keeps an entry, and as long as the unit may use the
   * target's tables, the target has it.
   */
  private void breakIfRemembered(PciDevice device, DomainId target, Set<Remembered> before) {
    if (before.containsAll(contexts.remembered(device))) {
      return;
    }
    device.broken = true;
    contexts.cutOff(device);
    if (isGuest(target)) {
      devices.transfer(device, target);
      driver.crash(target, device.sbdf() + " could not be taken back");
    }
  }

  /**
   * Takes a device from its owner: into quarantine, or from there back to the hardware domain. A
   * guest from which it cannot be taken is crashed, and keeps it until it is destroyed.
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
    Set<Remembered> before = contexts.remembered(device);
    try {
      Transaction.run(steps -> deassign(steps, device, next));
    } catch (Refusal refusal) {
      breakIfRemembered(device, owner, before);
      throw refusal;
    }
    handOver(device, next);
    device.guestAddress = Optional.empty();
    device.faultRate().forget();
    device.quarantined &= !next.equals(DomainId.DOM0);
    tell(DeviceNotice.DEASSIGNED, device, owner);
    if (next.equals(DomainId.IO)) {
      tell(DeviceNotice.QUARANTINED, device);
    }
  }

  private PciDevice deassign(Transaction steps, PciDevice device, DomainId next) {
    quarantine.prepare(steps, device);
    quarantine.clean(device);
    if (isGuest(device.owner()) && contexts.reach(device, next).isEmpty()) {
      return unmap(device);
    }
    contexts.pointAt(steps, device, next);
    return device;
  }

  private PciDevice unmap(PciDevice device) {
    try {
      contexts.detach(device);
    } catch (Refusal failure) {
      driver.crash(device.owner(), "%s could not be unmapped".formatted(device.sbdf()));
      releaseDomainId(device, device.owner());
      throw failure;
    }
    return device;
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
            handOver(device, DomainId.IO);
          }
        });
    return first.isPresent();
  }

  /** Ends a device's DMA for good, as far as its unit obeys: no entry, no private table. */
  void withdraw(PciDevice device) {
    try {
      contexts.detach(device);
    } catch (Refusal failure) {
      device.broken = true;
    }
    handOver(device, DomainId.IO);
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
    ReservedRegions identity = driver.iommuOf(target).reservedRegions();
    regions.forEach(region -> identity.requireFree(region, relaxed));
    // The scarce thing first: where ids have run out, nothing at all is written.
    device.unit().ifPresent(unit -> unit.entries().claim(steps, target));
    contexts.requireMappable(device, target);
    regions.forEach(region -> identity.acquire(steps, region, relaxed));
  }

  /** Records the new owner, and gives back what the old one had for the device's sake. */
  private void handOver(PciDevice device, DomainId target) {
    DomainId source = device.owner();
    devices.transfer(device, target);
    driver.ioContexts().leave(device);
    releaseDomainId(device, source);
    if (isGuest(source)) {
      ReservedRegions identity = driver.iommuOf(source).reservedRegions();
      driver.reservedRegionsOf(device.sbdf()).forEach(identity::release);
      driver.iommuOf(source).leftByDevice();
      driver.iommuOf(source).watcher().left(device);
    }
  }

  /** Frees the source's domain-id on the device's unit where no other of its devices uses it. */
  private void releaseDomainId(PciDevice device, DomainId source) {
    if (source.equals(DomainId.IO)) {
      return;
    }
    boolean inUse =
        usesUnit(source, device)
            || (source.equals(DomainId.DOM0) && usesUnit(DomainId.XEN, device));
    if (!inUse) {
      device.unit().ifPresent(unit -> unit.domainIds().release(source));
    }
  }

  private boolean usesUnit(DomainId owner, PciDevice device) {
    return devices.ownedBy(owner).stream()
        .anyMatch(other -> other != device && other.unit().equals(device.unit()));
  }

  static boolean isGuest(DomainId id) {
    return id.isOrdinary() && !id.equals(DomainId.DOM0);
  }
}
