package io.hypercalld.api.resource;

import io.hypercalld.api.rest.Failure;
import io.hypercalld.api.rest.ProblemType;
import io.hypercalld.api.rest.Problems;
import io.hypercalld.api.rest.Reply;
import io.hypercalld.api.rest.Request;
import io.hypercalld.api.rest.Route;
import java.util.List;
import java.util.Optional;

/** {@code /problems}: a page for each way to fail. Immutable. */
final class ProblemRoutes {
  private ProblemRoutes() {}

  /** A way to fail as it is told. */
  record ProblemTypeView(String type, String title, int status, Optional<String> hint) {
    static ProblemTypeView of(ProblemType type) {
      return new ProblemTypeView(type.uri(), type.title(), type.status(), type.hint());
    }
  }

  static List<Route> routes() {
    return List.of(
        Route.get("/problems", "Every way to fail")
            .answering(Page.ofItems(ProblemTypeView.class))
            .by(
                request ->
                    Reply.ok(
                        Page.whole(Problems.all().stream().map(ProblemTypeView::of).toList()))),
        Route.get("/problems/{type}", "One way to fail")
            .answering(ProblemTypeView.class)
            .by(ProblemRoutes::show));
  }

  private static Reply show(Request request) {
    String name = request.place("type");
    return Problems.all().stream()
        .filter(type -> type.name().equals(name))
        .findFirst()
        .map(ProblemTypeView::of)
        .map(Reply::ok)
        .orElseThrow(() -> Failure.of(Problems.UNKNOWN_PATH, "there is no problem type %s", name));
  }
}
