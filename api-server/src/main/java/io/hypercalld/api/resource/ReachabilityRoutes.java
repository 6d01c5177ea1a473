package io.hypercalld.api.resource;

import io.hypercalld.api.machine.Machine;
import io.hypercalld.api.machine.SendIpi;
import io.hypercalld.api.machine.ServeInterrupt;
import io.hypercalld.api.rest.Method;
import io.hypercalld.api.rest.Parameter;
import io.hypercalld.api.rest.Reply;
import io.hypercalld.api.rest.Request;
import io.hypercalld.api.rest.Route;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.interrupt.LocalApic;
import java.util.List;
import java.util.function.Function;

/**
 * {@code /v1/domains/{d}/interrupt-reachability}, and interrupts between vCPUs. Immutable.
 *
 * <p>x2APIC is the mode that APIC ids beyond 8 bits need, and so what is asked about usually.
 */
final class ReachabilityRoutes {
  private ReachabilityRoutes() {}

  /** The modes in which a local APIC takes interrupts. */
  enum ApicMode {
    X2APIC(LocalApic.Mode.X2APIC),
    XAPIC(LocalApic.Mode.XAPIC);

    private final LocalApic.Mode mode;

    ApicMode(LocalApic.Mode mode) {
      this.mode = mode;
    }
  }

  /** What a vCPU stores to its interrupt command register. */
  record Command(Word icr) {}

  /** The vCPUs that took it. */
  record Taken(List<Integer> vcpus) {}

  static List<Route> routes() {
    return List.of(
        Route.get(
                "/v1/domains/{d}/interrupt-reachability",
                "Which kind of interrupt reaches which vCPU, what stops it, and how far guests"
                    + " boot")
            .taking(
                Parameter.optional(
                    "apicMode", "mode of the local APICs, x2apic if left out", ApicMode.class))
            .answering(ReachabilityView.class)
            .on(ReachabilityRoutes::show),
        Route.of(
                Method.POST,
                "/v1/domains/{d}/vcpus/{v}/ipi",
                "Has a vCPU store to its interrupt command register")
            .reading(Command.class)
            .answering(Taken.class)
            .on(ReachabilityRoutes::send));
  }

  private static Function<Machine, Reply> show(Request request) {
    Names.DomainName name = Names.domain(request);
    LocalApic.Mode mode =
        request
            .parameter("apicMode")
            .map(text -> DomainRoutes.choice(text, ApicMode.class))
            .orElse(ApicMode.X2APIC)
            .mode;
    return machine -> {
      Domain domain = name.in(machine.hypervisor().domains());
      ServeInterrupt.of(domain);
      return Reply.ok(ReachabilityView.of(domain, mode));
    };
  }

  private static Function<Machine, Reply> send(Request request) {
    Names.DomainName name = Names.domain(request);
    int vcpu = Names.vcpu(request);
    Command command = request.read(Command.class);
    return machine -> {
      Domain domain = name.in(machine.hypervisor().domains());
      return Reply.ok(new Taken(machine.execute(new SendIpi(domain.id(), vcpu, command.icr))));
    };
  }
}
