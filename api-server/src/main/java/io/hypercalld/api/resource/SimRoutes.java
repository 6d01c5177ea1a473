package io.hypercalld.api.resource;

import io.hypercalld.api.machine.Machine;
import io.hypercalld.api.rest.Reply;
import io.hypercalld.api.rest.Route;
import io.hypercalld.iommu.audit.Violation;
import java.util.List;

/** {@code /_sim/}: what only a simulator can tell. Immutable. */
final class SimRoutes {
  private SimRoutes() {}

  /** The digest of the whole state. */
  record DigestView(String digest) {}

  /** What should hold and does not. */
  record ViolationsView(List<Violation> violations) {}

  static List<Route> routes() {
    return List.of(
        Route.get("/_sim/digest", "The digest of the whole state")
            .answering(DigestView.class)
            .on(request -> machine -> Reply.ok(new DigestView(machine.digest()))),
        Route.get("/_sim/invariants", "Runs every consistency check")
            .answering(ViolationsView.class)
            .on(request -> machine -> Reply.ok(check(machine))));
  }

  private static ViolationsView check(Machine machine) {
    return new ViolationsView(machine.violations());
  }
}
