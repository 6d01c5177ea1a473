package io.hypercalld.api.resource;

import io.hypercalld.api.json.InvalidBody;
import io.hypercalld.api.machine.Machine;
import io.hypercalld.api.machine.PlugFunction;
import io.hypercalld.api.rest.Method;
import io.hypercalld.api.rest.Reply;
import io.hypercalld.api.rest.Request;
import io.hypercalld.api.rest.Route;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.hypercall.OrElse;
import io.hypercalld.iommu.pci.BusRange;
import io.hypercalld.iommu.pci.PciFunction;
import io.hypercalld.iommu.pci.PciFunction.Feature;
import io.hypercalld.iommu.pci.PciIdentity;
import io.hypercalld.iommu.pci.PciKind;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.pci.SourceId;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** PCI functions that come and go, and bridges whose buses are renumbered. Immutable. */
final class HotplugRoutes {
  private static final String ALL = "/_sim/pci";
  private static final String ONE = ALL + "/{sbdf}";
  private static final long MOST_ID = 0xffff;
  private static final long MOST_CLASS = 0xff_ffff;

  private HotplugRoutes() {}

  /** The buses behind a bridge, both inclusive. */
  record Buses(int secondary, Optional<Integer> subordinate) {
    BusRange range() {
      try {
        return new BusRange(secondary, subordinate.orElse(secondary));
      } catch (IllegalArgumentException none) {
        throw InvalidBody.at("/secondary", "buses are numbered 1 to 255");
      }
    }
  }

  /** A function to plug in, in the words of a platform file. */
  record NewFunction(
      Sbdf address,
      Word vendor,
      Word device,
      @io.hypercalld.api.json.MemberName("class") Word classCode,
      PciKind kind,
      Optional<Buses> buses,
      @OrElse("false") boolean msiX,
      @OrElse("false") boolean ats) {
    PciFunction function() {
      requireAtMost("/vendor", vendor, MOST_ID);
      requireAtMost("/device", device, MOST_ID);
      requireAtMost("/class", classCode, MOST_CLASS);
      PciIdentity identity =
          new PciIdentity((int) vendor.value(), (int) device.value(), (int) classCode.value(), "");
      PciFunction plain =
          PciFunction.of(address, identity, kind).with(Feature.MSI_X, msiX).with(Feature.ATS, ats);
      return buses.map(wanted -> withBuses(plain, wanted)).orElse(plain);
    }

    private static PciFunction withBuses(PciFunction plain, Buses buses) {
      try {
        return plain.withBuses(buses.range());
      } catch (IllegalArgumentException wrong) {
        throw InvalidBody.at("/buses", "only a bridge has buses, numbered above its own");
      }
    }

    private static void requireAtMost(String pointer, Word number, long most) {
      if (Long.compareUnsigned(number.value(), most) > 0) {
        throw InvalidBody.at(pointer, "is at most 0x%x", most);
      }
    }
  }

  /** A function that exists, whether the hypervisor knows it or not. */
  record FunctionView(
      Sbdf sbdf,
      PciKind kind,
      Optional<Buses> buses,
      List<SourceId> requesterIds,
      Optional<Integer> iommu,
      boolean known) {
    static FunctionView of(Machine machine, PciFunction function) {
      Sbdf sbdf = function.sbdf();
      return new FunctionView(
          sbdf,
          function.kind(),
          function
              .buses()
              .map(range -> new Buses(range.secondary(), Optional.of(range.subordinate()))),
          machine.topology().requesterIds(sbdf),
          machine.scopes().unitOf(sbdf).stream().boxed().findFirst(),
          machine.driver().devices().find(sbdf).isPresent());
    }
  }

  static List<Route> routes() {
    return List.of(
        Route.get(ALL, "The PCI functions that exist, known to the hypervisor or not")
            .answering(Page.ofItems(FunctionView.class))
            .on(
                request ->
                    machine ->
                        Reply.ok(
                            Page.whole(
                                machine.topology().all().stream()
                                    .<Object>map(function -> FunctionView.of(machine, function))
                                    .toList()))),
        Route.of(Method.POST, ALL, "Plugs a PCI function in")
            .reading(NewFunction.class)
            .answering(FunctionView.class)
            .on(HotplugRoutes::plug),
        Route.of(Method.DELETE, ONE, "Pulls a PCI function that the hypervisor does not know")
            .on(HotplugRoutes::unplug),
        Route.of(Method.PUT, ONE + "/buses", "Gives the buses behind a bridge other numbers")
            .reading(Buses.class)
            .answering(FunctionView.class)
            .on(HotplugRoutes::renumber));
  }

  private static Function<Machine, Reply> plug(Request request) {
    PciFunction function = request.read(NewFunction.class).function();
    return machine ->
        Reply.ok(FunctionView.of(machine, machine.execute(new PlugFunction(function))));
  }

  private static Function<Machine, Reply> unplug(Request request) {
    Sbdf sbdf = Names.sbdf(request.place("sbdf"));
    return machine -> {
      machine.execute(new PlugFunction.Unplug(sbdf));
      return Reply.done();
    };
  }

  private static Function<Machine, Reply> renumber(Request request) {
    Sbdf sbdf = Names.sbdf(request.place("sbdf"));
    BusRange buses = request.read(Buses.class).range();
    return machine ->
        Reply.ok(FunctionView.of(machine, machine.execute(new PlugFunction.Renumber(sbdf, buses))));
  }
}
