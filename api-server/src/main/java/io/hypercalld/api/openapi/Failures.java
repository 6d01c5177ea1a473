package io.hypercalld.api.openapi;

import io.hypercalld.api.rest.Route;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;

/** How the requests of a route may fail, whatever the hypervisor says of them. Immutable. */
final class Failures {
  private static final String HEALTH = "/health/";
  private static final int CREATED = 201;

  /** What each status means wherever it is answered. */
  private static final Map<String, String> MEANINGS =
      Map.ofEntries(
          Map.entry("400", "The request is not what this path takes"),
          Map.entry("401", "The daemon was started with tokens, and the request carries none"),
          Map.entry("403", "The sender may not do this, or is a page of somebody else's"),
          Map.entry("404", "There is no such thing"),
          Map.entry("409", "The state does not allow it, or the key's request is under way"),
          Map.entry("410", "The item that the cursor names is gone"),
          Map.entry("412", "The resource is not what the caller has seen"),
          Map.entry("413", "The body is too large"),
          Map.entry("422", "A value cannot be, or the key was another request's"),
          Map.entry("426", "This path speaks WebSocket"));

  private Failures() {}

  /** References to all that a route may fail with, by status. */
  static Map<String, Object> of(Route route) {
    Map<String, Boolean> may = new LinkedHashMap<>();
    boolean changes = route.method().changes();
    may.put("400", true);
    may.put("401", !route.path().text().startsWith(HEALTH));
    may.put("403", true);
    may.put("404", !route.path().names().isEmpty());
    may.put("409", changes);
    may.put("410", route.asksMachine() && takesCursor(route));
    may.put("412", route.guard().isPresent() || route.response().status() == CREATED);
    may.put("413", route.body().isPresent());
    may.put("422", changes);
    may.put("426", route.handling() instanceof Route.Conversing);
    Map<String, Object> responses = new LinkedHashMap<>();
    may.forEach(
        (status, does) -> {
          if (does) {
            responses.put(status, Described.reference("responses", name(status)));
          }
        });
    if (route.asksMachine()) {
      responses.put("503", Described.reference("responses", "Overloaded"));
    }
    responses.put("default", Described.reference("responses", "Problem"));
    return responses;
  }

  private static boolean takesCursor(Route route) {
    return route.parameters().stream().anyMatch(one -> one.name().equals("cursor"));
  }

  private static String name(String status) {
    return "Failure" + status;
  }

  /** What is referred to. */
  static Map<String, Object> responses() {
    Map<String, Object> responses = new LinkedHashMap<>();
    new TreeMap<>(MEANINGS)
        .forEach((status, meaning) -> responses.put(name(status), Components.problem(meaning)));
    return responses;
  }
}
