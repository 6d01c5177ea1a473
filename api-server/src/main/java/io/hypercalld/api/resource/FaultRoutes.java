package io.hypercalld.api.resource;

import io.hypercalld.api.machine.FaultRule;
import io.hypercalld.api.machine.FaultRules;
import io.hypercalld.api.machine.InjectFault;
import io.hypercalld.api.machine.Machine;
import io.hypercalld.api.machine.RemoveFault;
import io.hypercalld.api.rest.Method;
import io.hypercalld.api.rest.Reply;
import io.hypercalld.api.rest.Request;
import io.hypercalld.api.rest.Route;
import java.util.List;
import java.util.function.Function;

/** {@code /_sim/faults}: what is to go wrong, and when. Immutable. */
final class FaultRoutes {
  private FaultRoutes() {}

  static List<Route> routes() {
    return List.of(
        Route.get("/_sim/faults", "What goes wrong on purpose, and how often it did")
            .answering(Page.ofItems(FaultRules.Standing.class))
            .on(request -> machine -> Reply.ok(Page.whole(machine.faultRules().all()))),
        Route.of(Method.POST, "/_sim/faults", "Has something go wrong at a chosen moment")
            .reading(FaultRule.class)
            .answering(FaultRules.Standing.class)
            .on(FaultRoutes::add),
        Route.of(Method.DELETE, "/_sim/faults/{rule}", "Has it go wrong no more")
            .on(FaultRoutes::remove));
  }

  private static Function<Machine, Reply> add(Request request) {
    InjectFault command = new InjectFault(request.read(FaultRule.class));
    return machine -> Reply.ok(machine.execute(command));
  }

  private static Function<Machine, Reply> remove(Request request) {
    RemoveFault command = new RemoveFault(request.place("rule"));
    return machine -> {
      machine.execute(command);
      return Reply.done();
    };
  }
}
