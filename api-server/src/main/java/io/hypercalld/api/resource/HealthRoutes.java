package io.hypercalld.api.resource;

import io.hypercalld.api.rest.Failure;
import io.hypercalld.api.rest.Problems;
import io.hypercalld.api.rest.Reply;
import io.hypercalld.api.rest.Request;
import io.hypercalld.api.rest.Route;
import java.util.List;

/** {@code /health}: answered without asking the machine's thread. Immutable. */
final class HealthRoutes {
  private HealthRoutes() {}

  /** {@code UP}: anything else is a problem document. */
  record Health(String status) {}

  static List<Route> routes() {
    return List.of(
        Route.get("/health/live", "Whether the daemon should go on")
            .answering(Health.class)
            .by(_ -> Reply.ok(new Health("UP"))),
        Route.get("/health/ready", "Whether the daemon takes requests")
            .answering(Health.class)
            .by(HealthRoutes::check));
  }

  private static Reply check(Request request) {
    if (!request.hosted().thread().isAlive()) {
      throw Failure.of(Problems.DRAINING, "the machine's thread has ended");
    }
    return Reply.ok(new Health("UP"));
  }
}
