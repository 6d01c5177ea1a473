package io.hypercalld.api.rest;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The resources whose tags an If-Match of a change names, where the change does not say: the
 * nearest that can be read, at its own path or above it; of what is no part of any, the state of
 * the whole machine, told by its digest. Never instantiated.
 */
public final class Guards {
  private static final String WHOLE = "/_sim/digest";

  private Guards() {}

  /** The same routes, of which every change that has such a resource is guarded. */
  public static List<Route> over(List<Route> routes) {
    Map<String, Route.Task> readable = new HashMap<>();
    for (Route route : routes) {
      if (route.handling() instanceof Route.OnMachine(Route.Task task)
          && !route.method().changes()
          && route.parameters().stream().noneMatch(Parameter::required)) {
        readable.put(route.path().text(), task);
      }
    }
    return routes.stream().map(route -> guarded(route, readable)).toList();
  }

  private static Route guarded(Route route, Map<String, Route.Task> readable) {
    if (!route.asksMachine() || !route.method().changes() || route.guard().isPresent()) {
      return route;
    }
    String path = route.path().text();
    while (!path.isEmpty()) {
      Route.Task nearest = readable.get(path);
      if (nearest != null) {
        return route.guardedBy(nearest);
      }
      path = path.substring(0, path.lastIndexOf('/'));
    }
    return Optional.ofNullable(readable.get(WHOLE)).map(route::guardedBy).orElse(route);
  }
}
