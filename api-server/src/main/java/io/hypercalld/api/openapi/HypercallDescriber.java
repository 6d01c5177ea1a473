package io.hypercalld.api.openapi;

import io.hypercalld.api.hypercall.Level;
import io.hypercalld.api.hypercall.Operation;
import io.hypercalld.api.rest.Encoded;
import io.hypercalld.api.rest.ProblemType;
import io.hypercalld.api.rest.Problems;
import io.hypercalld.api.rest.Route;
import io.hypercalld.core.errno.Errno;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Describes hypercalls, each as a path of its own. Confined to the thread that makes the document.
 */
final class HypercallDescriber {
  private static final int NOT_FOUND = 404;

  private final Components components;
  private final RouteDescriber routes;
  private final Route route;

  /** Describes hypercalls that all come in by {@code route}. */
  HypercallDescriber(Components components, RouteDescriber routes, Route route) {
    this.components = components;
    this.routes = routes;
    this.route = route;
  }

  static String path(Operation<?> operation) {
    return "/v1/hypercalls/" + operation.call() + "/" + operation.op();
  }

  Map<String, Object> describe(Operation<?> operation) {
    Map<String, Object> schema = operation.shape().schema();
    Map<String, Object> arguments = components.schema(operation.name(), schema);
    return new Described()
        .with("operationId", operation.call() + "_" + operation.op())
        .with("summary", operation.name())
        .with("description", description(operation))
        .with("tags", List.of(operation.call()))
        .with("x-level", operation.level().name().toLowerCase(Locale.ROOT))
        .with("parameters", parameters())
        .with(
            "requestBody",
            RouteDescriber.json(arguments, RouteDescriber.isDue(schema), Optional.empty()))
        .with("responses", responses(operation))
        .done();
  }

  private List<Object> parameters() {
    List<Object> parameters = new ArrayList<>(routes.query(route));
    parameters.addAll(RouteDescriber.preconditions(route));
    return parameters;
  }

  private static String description(Operation<?> operation) {
    return switch (operation.level()) {
      case FULL -> "As in Xen." + errnos(operation);
      case PARTIAL ->
          "As in Xen, except that " + operation.missing().orElseThrow() + "." + errnos(operation);
      case NONE -> "Not implemented: always refused with ENOSYS.";
    };
  }

  private static String errnos(Operation<?> operation) {
    return operation.errnos().isEmpty()
        ? " Never refused."
        : operation.errnos().stream()
            .map(Errno::name)
            .collect(Collectors.joining(", ", " Refused with ", "."));
  }

  private Map<String, Object> responses(Operation<?> operation) {
    Map<String, Object> responses = new LinkedHashMap<>();
    if (operation.level() != Level.NONE) {
      responses.put("200", success());
    }
    byStatus(operation)
        .forEach((status, why) -> responses.put(status.toString(), Components.problem(why)));
    Failures.of(route).forEach(responses::putIfAbsent);
    if (operation.errnos().stream().noneMatch(errno -> Problems.of(errno).status() == NOT_FOUND)) {
      responses.remove(Integer.toString(NOT_FOUND));
    }
    return responses;
  }

  private static Map<String, Object> success() {
    Map<String, Object> schema =
        Map.of(
            "anyOf",
            List.of(Components.schema("HypercallResult"), Components.schema("HypercallRefusal")));
    return new Described()
        .with("description", "Done; or refused, where the envelope is asked for")
        .with("content", Map.of(Encoded.JSON, Map.of("schema", schema)))
        .done();
  }

  /** What each status means here: the errnos that come with it, in words. */
  private static Map<Integer, String> byStatus(Operation<?> operation) {
    Map<Integer, String> meanings = new TreeMap<>();
    for (Errno errno : operation.errnos()) {
      ProblemType type = Problems.of(errno);
      meanings.merge(
          type.status(), errno.name() + ": " + type.title(), (one, other) -> one + "; " + other);
    }
    return meanings;
  }
}
