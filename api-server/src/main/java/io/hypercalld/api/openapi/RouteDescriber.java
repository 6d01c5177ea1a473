package io.hypercalld.api.openapi;

import io.hypercalld.api.rest.Encoded;
import io.hypercalld.api.rest.Method;
import io.hypercalld.api.rest.Parameter;
import io.hypercalld.api.rest.Route;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;

/** Describes routes. Confined to the thread that makes the document. */
final class RouteDescriber {
  private static final int OK = 200;
  private static final int CREATED = 201;

  private final Components components;

  RouteDescriber(Components components) {
    this.components = components;
  }

  Map<String, Object> describe(Route route) {
    Described operation =
        new Described()
            .with("operationId", operationId(route))
            .with("summary", route.summary())
            .with("tags", List.of(tag(route)));
    List<Object> parameters = new ArrayList<>();
    for (String place : route.path().names()) {
      parameters.add(components.parameter(PathParameters.of(place)));
    }
    parameters.addAll(query(route));
    parameters.addAll(preconditions(route));
    if (!parameters.isEmpty()) {
      operation.with("parameters", parameters);
    }
    route.body().ifPresent(schema -> operation.with("requestBody", json(schema)));
    return operation.with("responses", responses(route)).done();
  }

  private static String operationId(Route route) {
    return route.method().name().toLowerCase(Locale.ROOT)
        + route.path().text().replaceAll("[^A-Za-z0-9]+", "_").replaceAll("_$", "");
  }

  /** The first word of the path that says something. */
  private static String tag(Route route) {
    return route.path().segments().stream()
        .filter(segment -> !segment.equals("v1"))
        .findFirst()
        .map(segment -> segment.replaceAll("\\..*", ""))
        .orElse("machine");
  }

  /** References to the query parameters of a route. */
  List<Object> query(Route route) {
    return Stream.concat(route.parameters().stream(), route.commonParameters().stream())
        .<Object>map(parameter -> components.parameter(describe(parameter)))
        .toList();
  }

  private static Map<String, Object> describe(Parameter parameter) {
    return new Described()
        .with("name", parameter.name())
        .with("in", "query")
        .with("description", parameter.description())
        .with("required", parameter.required())
        .with("schema", parameter.schema())
        .done();
  }

  private static List<Object> preconditions(Route route) {
    if (isTagged(route)) {
      return List.of(Components.header("If-None-Match"));
    }
    return route.guard().isPresent() ? List.of(Components.header("If-Match")) : List.of();
  }

  private static boolean isTagged(Route route) {
    return route.method() == Method.GET && route.response().mediaType().equals(Encoded.JSON);
  }

  /** A JSON body that must be there. */
  static Map<String, Object> json(Map<String, Object> schema) {
    return new Described()
        .with("required", true)
        .with("content", Map.of(Encoded.JSON, Map.of("schema", schema)))
        .done();
  }

  private static Map<String, Object> responses(Route route) {
    Map<String, Object> responses = new LinkedHashMap<>();
    responses.put(Integer.toString(route.response().status()), success(route));
    if (isTagged(route)) {
      responses.put("304", Described.reference("responses", "NotModified"));
    }
    responses.putAll(failures(route));
    return responses;
  }

  /** How any request of the route may fail. */
  static Map<String, Object> failures(Route route) {
    Map<String, Object> responses = new LinkedHashMap<>();
    responses.put("400", Described.reference("responses", "Malformed"));
    if (route.asksMachine()) {
      responses.put("503", Described.reference("responses", "Overloaded"));
    }
    responses.put("default", Described.reference("responses", "Problem"));
    return responses;
  }

  private static Map<String, Object> success(Route route) {
    Route.Response response = route.response();
    Described described = new Described().with("description", response.description());
    if (response.status() == CREATED) {
      described.with("headers", Map.of("Location", Described.reference("headers", "Location")));
    } else if (response.status() == OK && isTagged(route)) {
      described.with("headers", Map.of("ETag", Described.reference("headers", "ETag")));
    }
    if (!response.mediaType().isEmpty()) {
      Map<String, Object> content =
          response.schema().isEmpty() ? Map.of() : Map.of("schema", response.schema());
      described.with("content", Map.of(response.mediaType(), content));
    }
    return described.done();
  }
}
