package io.hypercalld.api.resource;

import io.hypercalld.api.hypercall.Operation;
import io.hypercalld.api.machine.Hypercalls;
import io.hypercalld.api.machine.Machine;
import io.hypercalld.api.machine.PendingCalls;
import io.hypercalld.api.rest.Failure;
import io.hypercalld.api.rest.Problem;
import io.hypercalld.api.rest.ProblemType;
import io.hypercalld.api.rest.Problems;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.hypercall.Hypercall;
import io.hypercalld.core.hypercall.Outcome;
import io.hypercalld.iommu.driver.PciDevice;
import io.hypercalld.iommu.hypercall.AssignDevice;
import java.util.Optional;

/** Refused hypercalls as failures, told apart further than their errno does. Immutable. */
final class Refusals {
  private Refusals() {}

  /**
   * The outcome of a call that was not refused.
   *
   * @throws Failure where it was
   */
  static Outcome.Success require(Machine machine, Hypercall arguments, Outcome outcome) {
    return switch (outcome) {
      case Outcome.Success success -> success;
      case Outcome.Refused refused -> throw failure(machine, arguments, refused);
      case Outcome.Preempted _ ->
          throw new IllegalStateException("a call to be finished was preempted");
    };
  }

  /**
   * The outcome of a call that ended and was not refused.
   *
   * @throws Failure where it was refused, or preempted: then with the place where it goes on
   */
  static Outcome.Success require(
      Machine machine, Hypercall arguments, Hypercalls.Progress progress) {
    return switch (progress) {
      case Hypercalls.Ended(Outcome outcome) -> require(machine, arguments, outcome);
      case Hypercalls.Stopped(PendingCalls.Pending call) -> throw preempted(machine, call);
    };
  }

  private static Failure preempted(Machine machine, PendingCalls.Pending call) {
    String place = "/_sim/continuations/" + call.number();
    Problem problem =
        Problem.of(
                Problems.of(Errno.ERESTART),
                "stopped after %d steps, as /_sim/preempt says"
                    .formatted(machine.hypervisor().continuations().every()))
            .refusing(Errno.ERESTART)
            .calling(machine.catalogue().of(call.rest()).name())
            .hinting("POST " + place + " to let it go on");
    return new Failure(problem, java.util.Map.of("Location", place));
  }

  private static Failure failure(Machine machine, Hypercall arguments, Outcome.Refused refused) {
    Operation<?> operation = machine.catalogue().of(arguments);
    ProblemType type = Problems.of(refused.errno());
    if (refused.errno() == Errno.EBUSY && arguments instanceof AssignDevice assignment) {
      type = whyBusy(machine, assignment).orElse(type);
    }
    Problem problem =
        Problem.of(type, refused.detail()).refusing(refused.errno()).returning(refused.out());
    return new Failure(problem.calling(operation.name()), java.util.Map.of());
  }

  private static Optional<ProblemType> whyBusy(Machine machine, AssignDevice assignment) {
    Optional<PciDevice> device = machine.driver().devices().find(assignment.machineSbdf());
    if (device.isEmpty()) {
      return Optional.empty();
    }
    DomainId owner = device.get().owner();
    if (owner.isOrdinary() && !owner.equals(DomainId.DOM0)) {
      return Optional.of(Problems.DEVICE_BUSY);
    }
    return machine.scopes().unitOf(assignment.machineSbdf()).stream()
        .mapToObj(index -> machine.driver().units().get(index))
        .filter(unit -> unit.domainIds().used() == unit.domainIds().capacity())
        .map(unit -> Problems.DOMAIN_IDS_EXHAUSTED)
        .findFirst();
  }
}
