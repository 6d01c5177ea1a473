package io.hypercalld.api.resource;

import io.hypercalld.api.machine.Machine;
import io.hypercalld.api.machine.PlaceDevice;
import io.hypercalld.api.rest.Failure;
import io.hypercalld.api.rest.Method;
import io.hypercalld.api.rest.Parameter;
import io.hypercalld.api.rest.Reply;
import io.hypercalld.api.rest.Request;
import io.hypercalld.api.rest.Route;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.hypercall.OrElse;
import io.hypercalld.iommu.driver.PciDevice;
import io.hypercalld.iommu.driver.UnitDriver;
import io.hypercalld.iommu.hypercall.DeassignDevice;
import io.hypercalld.iommu.pci.Sbdf;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** {@code /v1/devices}. Immutable. */
final class DeviceRoutes {
  static final String ONE = "/v1/devices/{sbdf}";

  private static final String ALL = "/v1/devices";
  private static final String ASSIGNMENT = ONE + "/assignment";

  private DeviceRoutes() {}

  /** What an assignment may be asked to be. */
  enum Flag {
    /** Reserved regions that are shared or in the way are no obstacle. */
    RDM_RELAXED
  }

  /** To whom a device is given, and how. */
  record Assignment(DomainId domain, @OrElse("[]") List<Flag> flags, Optional<Sbdf> guestBdf) {}

  /** Devices that cannot be told apart by their requester ids. */
  record Group(Sbdf group, List<DeviceView> items, Optional<String> nextCursor) {}

  static List<Route> routes() {
    return List.of(
        Route.get(ALL, "The PCI functions, by address")
            .taking(
                Parameter.optional("owner", "only those of this domain, id or name", String.class),
                Parameter.optional("state", "only those in this state", PciDevice.State.class),
                Parameter.optional("iommu", "only those behind this unit", int.class),
                Page.LIMIT,
                Page.CURSOR)
            .answering(Page.ofItems(DeviceView.class))
            .on(DeviceRoutes::list),
        Route.get(ONE, "One PCI function").answering(DeviceView.class).on(DeviceRoutes::show),
        Route.get(ONE + "/group", "The functions that go together with this one, itself included")
            .answering(Group.class)
            .on(DeviceRoutes::group),
        Route.of(Method.PUT, ASSIGNMENT, "Gives a device to a domain")
            .reading(Assignment.class)
            .answering(DeviceView.class)
            .on(DeviceRoutes::assign)
            .guardedBy(DeviceRoutes::show),
        Route.of(Method.DELETE, ASSIGNMENT, "Takes a device from its domain, into quarantine")
            .on(DeviceRoutes::deassign)
            .guardedBy(DeviceRoutes::show));
  }

  /**
   * The device at an address.
   *
   * @throws Refusal ENODEV
   */
  static PciDevice device(Machine machine, Sbdf sbdf) {
    return machine
        .driver()
        .devices()
        .find(sbdf)
        .orElseThrow(() -> Refusal.of(Errno.ENODEV, "%s does not exist", sbdf));
  }

  private static Function<Machine, Reply> list(Request request) {
    Optional<Names.DomainName> owner = request.parameter("owner").map(Names.DomainName::new);
    Optional<PciDevice.State> state =
        request.parameter("state").map(text -> DomainRoutes.choice(text, PciDevice.State.class));
    Optional<Integer> iommu = Names.count(request, "iommu", Integer.MAX_VALUE);
    return machine -> {
      Optional<DomainId> ownerId = owner.map(name -> name.owner(machine.hypervisor().domains()));
      List<PciDevice> devices =
          machine.driver().devices().all().stream()
              .filter(device -> ownerId.isEmpty() || ownerId.get().equals(device.owner()))
              .filter(device -> state.isEmpty() || state.get() == device.state())
              .filter(
                  device -> iommu.isEmpty() || iommu.equals(device.unit().map(UnitDriver::index)))
              .toList();
      return Reply.ok(
          Page.of(
              request,
              machine,
              () -> devices.stream().map(device -> DeviceView.of(machine, device)).toList()));
    };
  }

  private static Function<Machine, Reply> show(Request request) {
    Sbdf sbdf = Names.sbdf(request.place("sbdf"));
    return machine -> Reply.ok(DeviceView.of(machine, device(machine, sbdf)));
  }

  private static Function<Machine, Reply> group(Request request) {
    Sbdf sbdf = Names.sbdf(request.place("sbdf"));
    return machine -> {
      device(machine, sbdf);
      List<DeviceView> members =
          machine.topology().groupMembers(sbdf).stream()
              .flatMap(function -> machine.driver().devices().find(function.sbdf()).stream())
              .map(device -> DeviceView.of(machine, device))
              .toList();
      return Reply.ok(new Group(machine.topology().group(sbdf), members, Optional.empty()));
    };
  }

  private static Function<Machine, Reply> assign(Request request) {
    Sbdf sbdf = Names.sbdf(request.place("sbdf"));
    Assignment wanted = request.read(Assignment.class);
    boolean relaxed = wanted.flags.contains(Flag.RDM_RELAXED);
    PlaceDevice command = new PlaceDevice(wanted.domain, sbdf, relaxed, wanted.guestBdf);
    return machine -> {
      PciDevice device = device(machine, sbdf);
      if (!isAlready(device, wanted)) {
        var hypercall = command.toHypercall();
        Refusals.require(machine, hypercall, machine.execute(command));
      }
      return Reply.ok(DeviceView.of(machine, device(machine, sbdf)));
    };
  }

  /** Whether there is nothing to do: putting the same again is no mistake. */
  private static boolean isAlready(PciDevice device, Assignment wanted) {
    if (!device.owner().equals(wanted.domain) || device.state() == PciDevice.State.BROKEN) {
      return false;
    }
    if (wanted.guestBdf.isPresent() && !wanted.guestBdf.equals(device.guestAddress())) {
      throw Failure.of(
          Errno.EBUSY,
          "%s is assigned to domain %d already, at %s"
              .formatted(
                  device.sbdf(),
                  device.owner().value(),
                  device.guestAddress().map(Sbdf::toString).orElse("no address")));
    }
    return true;
  }

  private static Function<Machine, Reply> deassign(Request request) {
    Sbdf sbdf = Names.sbdf(request.place("sbdf"));
    return machine -> {
      DomainId owner = device(machine, sbdf).owner();
      if (!owner.isOrdinary() || owner.equals(DomainId.DOM0)) {
        throw Failure.of(Errno.ENODEV, "%s is not assigned to any guest".formatted(sbdf))
            .hinting(
                Optional.of(
                    "domctl.deassign_device with domain 32753 returns it from quarantine to dom0"));
      }
      DomainRoutes.call(machine, new DeassignDevice(owner, sbdf, 0, 0));
      return Reply.done();
    };
  }
}
