package io.hypercalld.iommu.hypercall;

import io.hypercalld.core.Hypervisor;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.domain.DomainTable;
import io.hypercalld.core.domain.Privilege;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.hypercall.Outcome;
import io.hypercalld.iommu.driver.DeviceInventory;
import io.hypercalld.iommu.driver.PciDevice;
import io.hypercalld.iommu.driver.VtdDriver;
import io.hypercalld.iommu.pci.PciFunction;
import io.hypercalld.iommu.pci.PciTopology;
import io.hypercalld.iommu.pci.Sbdf;
import java.util.List;
import java.util.Optional;

/**
 * Carries out the hypercalls that concern devices. Confined to the machine thread.
 *
 * @see "xen/drivers/passthrough/pci.c, iommu_do_pci_domctl; xen/drivers/pci/physdev.c"
 */
public final class DeviceCalls {
  private static final long DEV_PCI = 0;
  private static final long RDM_RELAXED = 1;

  private final DomainTable domains;
  private final VtdDriver driver;
  private final PciTopology topology;

  public DeviceCalls(Hypervisor hypervisor, VtdDriver driver, PciTopology topology) {
    this.domains = hypervisor.domains();
    this.driver = driver;
    this.topology = topology;
  }

  /** See {@link AssignDevice}. */
  public Outcome assignDevice(DomainId caller, AssignDevice args) {
    return assign(caller, args, Optional.empty());
  }

  /** As {@link #assignDevice}, at a place of the guest's choice. */
  public Outcome assign(DomainId caller, AssignDevice args, Optional<Sbdf> guestAddress) {
    Optional<Domain> target = target(caller, args.domain());
    requireIommu(target);
    requireOther(caller, args.domain());
    requirePci(args.dev());
    if (target.filter(Domain::isDying).isPresent()) {
      throw Refusal.of(Errno.EINVAL, "domain %d is dying", args.domain().value());
    }
    requireFlags(args.flags(), RDM_RELAXED);
    boolean relaxed = (args.flags() & RDM_RELAXED) != 0;
    requireAvailable(args.machineSbdf());
    driver.assignment().assign(args.domain(), args.machineSbdf(), relaxed, guestAddress);
    return Outcome.done();
  }

  /** See {@link DeassignDevice}. */
  public Outcome deassignDevice(DomainId caller, DeassignDevice args) {
    Optional<Domain> owner = target(caller, args.domain());
    requireIommu(owner);
    requireOther(caller, args.domain());
    requirePci(args.dev());
    requireFlags(args.flags(), 0);
    driver.assignment().deassign(args.domain(), args.machineSbdf());
    return Outcome.done();
  }

  /** See {@link TestAssignDevice}. */
  public Outcome testAssignDevice(DomainId caller, TestAssignDevice args) {
    if (args.domain().equals(DomainId.INVALID)) {
      Domain asking = domains.caller(caller);
      Privilege.PRIV.demand(asking, asking);
    } else {
      requireIommu(target(caller, args.domain()));
    }
    requireOther(caller, args.domain());
    requirePci(args.dev());
    requireFlags(args.flags(), 0);
    try {
      driver.assignment().requireAvailable(args.machineSbdf());
    } catch (Refusal unavailable) {
      throw Refusal.of(Errno.EINVAL, "%s", unavailable.reason());
    }
    return Outcome.done();
  }

  /** See {@link GetDeviceGroup}. */
  public Outcome getDeviceGroup(DomainId caller, GetDeviceGroup args) {
    target(caller, args.domain());
    Sbdf sbdf = args.machineSbdf();
    List<Sbdf> members =
        groupOf(sbdf).stream()
            .flatMap(function -> driver.devices().find(function.sbdf()).stream())
            .filter(device -> device.owner().equals(args.domain()))
            .map(PciDevice::sbdf)
            .filter(member -> !member.equals(sbdf))
            .limit(Math.max(0, args.maxSdevs()))
            .toList();
    return Outcome.returning(new GetDeviceGroup.Group(members.size(), members));
  }

  private List<PciFunction> groupOf(Sbdf sbdf) {
    try {
      return topology.groupMembers(sbdf);
    } catch (Refusal unknown) {
      throw driver.profile().noGroup(unknown);
    }
  }

  private void requireAvailable(Sbdf sbdf) {
    try {
      driver.assignment().requireAvailable(sbdf);
    } catch (Refusal unavailable) {
      throw driver.profile().unavailable(unavailable);
    }
  }

  /** See {@link PciDeviceAdd}. */
  public Outcome pciDeviceAdd(DomainId caller, PciDeviceAdd args) {
    requireControl(caller);
    Sbdf sbdf = sbdf(args.seg(), args.bus(), args.devfn());
    if ((args.flags() & PciDeviceAdd.VIRTFN) != 0) {
      Sbdf physical = sbdf(args.seg(), args.physfn().bus(), args.physfn().devfn());
      if (driver.devices().find(physical).isEmpty()) {
        throw Refusal.of(Errno.ENODEV, "physical function %s of %s is not known", physical, sbdf);
      }
    }
    inventory().add(sbdf);
    return Outcome.done();
  }

  /** See {@link PciDeviceRemove}. */
  public Outcome pciDeviceRemove(DomainId caller, PciDeviceRemove args) {
    requireControl(caller);
    inventory().remove(sbdf(args.seg(), args.bus(), args.devfn()));
    return Outcome.done();
  }

  /** See {@link PciDeviceReset}. */
  public Outcome pciDeviceReset(DomainId caller, PciDeviceReset args) {
    requireControl(caller);
    requireFlags(args.flags(), PciDeviceReset.KINDS);
    inventory().require(sbdf(args.dev().seg(), args.dev().bus(), args.dev().devfn()));
    return Outcome.done();
  }

  /** See {@link PrepareMsix}. */
  public Outcome prepareMsix(DomainId caller, PrepareMsix args) {
    requireControl(caller);
    inventory().prepareMsiX(sbdf(args.seg(), args.bus(), args.devfn()), true);
    return Outcome.done();
  }

  /** See {@link ReleaseMsix}. */
  public Outcome releaseMsix(DomainId caller, ReleaseMsix args) {
    requireControl(caller);
    inventory().prepareMsiX(sbdf(args.seg(), args.bus(), args.devfn()), false);
    return Outcome.done();
  }

  private DeviceInventory inventory() {
    return driver.inventory();
  }

  /** The domain meant; empty for dom_io, which is no ordinary domain but may own devices. */
  private Optional<Domain> target(DomainId caller, DomainId id) {
    Domain asking = domains.caller(caller);
    if (id.equals(DomainId.IO)) {
      Privilege.PRIV.demand(asking, asking);
      return Optional.empty();
    }
    Domain target = found(asking, id);
    Privilege.PRIV.demand(asking, target);
    return Optional.of(target);
  }

  private Domain found(Domain asking, DomainId id) {
    if (domains.find(id).isEmpty() && asking.isControlDomain()) {
      throw Refusal.of(driver.profile().noDomain(), "there is no domain %s", id);
    }
    return domains.forDomctl(asking, id);
  }

  private void requireControl(DomainId caller) {
    Domain asking = domains.caller(caller);
    Privilege.PRIV.demand(asking, asking);
  }

  private void requireIommu(Optional<Domain> domain) {
    domain
        .filter(found -> !found.settings().hasIommu())
        .ifPresent(
            found -> {
              throw Refusal.of(
                  driver.profile().noIommu(),
                  "domain %d was created without IOMMU",
                  found.id().value());
            });
  }

  private static void requireOther(DomainId caller, DomainId target) {
    if (target.equals(caller)) {
      throw Refusal.of(Errno.EINVAL, "domain %d cannot do this to itself", caller.value());
    }
  }

  private static void requirePci(long dev) {
    if (dev != DEV_PCI) {
      throw Refusal.of(Errno.ENODEV, "no device of kind %d, only PCI (0)", dev);
    }
  }

  private static void requireFlags(long flags, long known) {
    if ((flags & ~known) != 0) {
      throw Refusal.of(Errno.EINVAL, "unknown flags 0x%x", flags & ~known);
    }
  }

  private static Sbdf sbdf(long segment, long bus, long devfn) {
    if (segment >>> 16 != 0 || bus >>> 8 != 0 || devfn >>> 8 != 0) {
      throw Refusal.of(
          Errno.EINVAL, "no function has segment %d, bus %d, devfn %d", segment, bus, devfn);
    }
    return new Sbdf((int) segment, (int) bus, (int) devfn >>> 3, (int) devfn & 7);
  }
}
