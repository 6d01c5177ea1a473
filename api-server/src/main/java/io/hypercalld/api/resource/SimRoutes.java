package io.hypercalld.api.resource;

import io.hypercalld.api.json.InvalidBody;
import io.hypercalld.api.machine.AddReservedRegion;
import io.hypercalld.api.machine.AdvanceClock;
import io.hypercalld.api.machine.Machine;
import io.hypercalld.api.machine.Preempt;
import io.hypercalld.api.machine.ResetUnit;
import io.hypercalld.api.machine.SetPace;
import io.hypercalld.api.rest.Method;
import io.hypercalld.api.rest.Reply;
import io.hypercalld.api.rest.Request;
import io.hypercalld.api.rest.Route;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.hypercall.Hypercall;
import io.hypercalld.iommu.audit.Violation;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.platform.ReservedRegion;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** {@code /_sim/}: what only a simulator can tell. Immutable. */
final class SimRoutes {
  private SimRoutes() {}

  /** The digest of the whole state. */
  record DigestView(String digest) {}

  /** What should hold and does not. */
  record ViolationsView(List<Violation> violations) {}

  /**
   * After how many steps a long hypercall stops.
   *
   * @param every steps; 0 for never
   */
  record Preemption(long every) {}

  /**
   * A reset of hardware.
   *
   * @param power whether the power goes off and on
   */
  record Reset(Optional<Boolean> power) {}

  /**
   * How fast devices' requests follow each other, as far as fault storms are told.
   *
   * @param nanoseconds from one request to the next
   */
  record Pace(long nanoseconds) {}

  /** Memory that devices must always reach; {@code limit} is the last byte. */
  record Region(Word base, Word limit, List<Sbdf> devices) {}

  /** A preempted hypercall, with its progress among its arguments. */
  record PendingView(long number, DomainId caller, String call, Object rest) {}

  /** The machine's time, in nanoseconds since it started. */
  record ClockView(long nowNanos) {}

  /** How much time is to pass. */
  record Advance(long advanceNanos) {}

  static List<Route> routes() {
    return List.of(
        Route.get("/_sim/preempt", "After how many steps a long hypercall stops")
            .answering(Preemption.class)
            .on(request -> machine -> Reply.ok(preemption(machine))),
        Route.of(Method.POST, "/_sim/preempt", "Has long hypercalls stop after so many steps")
            .reading(Preemption.class)
            .answering(Preemption.class)
            .on(SimRoutes::preempt),
        Route.get("/_sim/continuations", "Hypercalls that stopped and can go on")
            .answering(Page.ofItems(PendingView.class))
            .on(request -> machine -> Reply.ok(Page.whole(pending(machine)))),
        Route.of(Method.POST, "/_sim/continuations/{number}", "Lets a hypercall go on")
            .answering(HypercallRoutes.Result.class)
            .on(SimRoutes::resume),
        Route.get("/_sim/clock", "The machine's time")
            .answering(ClockView.class)
            .on(request -> machine -> Reply.ok(new ClockView(machine.hypervisor().clock().now()))),
        Route.of(Method.POST, "/_sim/clock", "Lets time pass for the machine")
            .reading(Advance.class)
            .answering(ClockView.class)
            .on(SimRoutes::advance),
        Route.of(Method.POST, "/_sim/iommus/{n}/reset", "Resets a remapping unit")
            .reading(Reset.class)
            .on(SimRoutes::reset),
        Route.get("/_sim/pace", "How much time passes between requests of devices")
            .answering(Pace.class)
            .on(request -> machine -> Reply.ok(new Pace(machine.faults().pace()))),
        Route.of(Method.POST, "/_sim/pace", "Has devices' requests follow each other otherwise")
            .reading(Pace.class)
            .answering(Pace.class)
            .on(SimRoutes::setPace),
        Route.of(
                Method.POST,
                "/_sim/reserved-regions",
                "Names memory that devices must always reach, as Xen's option rmrr does")
            .reading(Region.class)
            .answering(Region.class)
            .on(SimRoutes::reserve),
        Route.get("/_sim/digest", "The digest of the whole state")
            .answering(DigestView.class)
            .on(request -> machine -> Reply.ok(new DigestView(machine.digest()))),
        Route.get("/_sim/invariants", "Runs every consistency check")
            .answering(ViolationsView.class)
            .on(request -> machine -> Reply.ok(check(machine))));
  }

  private static Function<Machine, Reply> reset(Request request) {
    int index = IommuRoutes.index(request);
    Reset wanted = request.read(Reset.class);
    return machine -> {
      machine.execute(new ResetUnit(index, wanted.power.orElse(false)));
      return Reply.done();
    };
  }

  private static Function<Machine, Reply> reserve(Request request) {
    Region wanted = request.read(Region.class);
    return machine -> {
      machine.execute(
          new AddReservedRegion(
              new ReservedRegion(wanted.base.value(), wanted.limit.value(), wanted.devices)));
      return Reply.ok(wanted);
    };
  }

  private static Function<Machine, Reply> advance(Request request) {
    Advance wanted = request.read(Advance.class);
    return machine ->
        Reply.ok(new ClockView(machine.execute(new AdvanceClock(wanted.advanceNanos))));
  }

  private static Function<Machine, Reply> setPace(Request request) {
    Pace wanted = request.read(Pace.class);
    if (wanted.nanoseconds < 0) {
      throw InvalidBody.at("/nanoseconds", "time does not run backwards");
    }
    return machine -> Reply.ok(new Pace(machine.execute(new SetPace(wanted.nanoseconds))));
  }

  private static Preemption preemption(Machine machine) {
    return new Preemption(machine.hypervisor().continuations().every());
  }

  private static Function<Machine, Reply> preempt(Request request) {
    Preemption wanted = request.read(Preemption.class);
    if (wanted.every < 0) {
      throw InvalidBody.at("/every", "a number of steps is not negative");
    }
    return machine -> {
      machine.execute(new Preempt(wanted.every));
      return Reply.ok(preemption(machine));
    };
  }

  private static List<Object> pending(Machine machine) {
    return machine.hypercalls().pending().all().stream()
        .<Object>map(
            call ->
                new PendingView(
                    call.number(),
                    call.caller(),
                    machine.catalogue().of(call.rest()).name(),
                    call.rest()))
        .toList();
  }

  private static Function<Machine, Reply> resume(Request request) {
    long number = Names.number(request, "number");
    return machine -> {
      Hypercall rest = machine.hypercalls().pending().get(number).rest();
      return HypercallRoutes.reply(
          Refusals.require(machine, rest, machine.hypercalls().resume(number)));
    };
  }

  private static ViolationsView check(Machine machine) {
    return new ViolationsView(machine.violations());
  }
}
