package io.hypercalld.api.resource;

import io.hypercalld.api.rest.Failure;
import io.hypercalld.api.rest.Method;
import io.hypercalld.api.rest.Problems;
import io.hypercalld.api.rest.Route;
import java.util.List;
import java.util.stream.Stream;

/**
 * What the contract names and nobody has built: it says so rather than not being there. Immutable.
 */
final class UnbuiltRoutes {
  private UnbuiltRoutes() {}

  static List<Route> routes() {
    return Stream.of(
            missing("interrupt reachability", "/v1/domains/{d}/interrupt-reachability", Method.GET))
        .flatMap(List::stream)
        .toList();
  }

  private static List<Route> missing(String what, String path, Method... methods) {
    return Stream.of(methods)
        .map(
            method ->
                Route.of(method, path, "Not built yet: " + what)
                    .by(
                        request -> {
                          throw Failure.of(
                              Problems.NOT_BUILT, "%s: %s is not built yet", what, request.path());
                        }))
        .toList();
  }
}
