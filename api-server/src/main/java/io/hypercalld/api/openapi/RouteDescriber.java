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
import java.util.Optional;
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
    route
        .body()
        .ifPresent(
            schema ->
                operation.with("requestBody", json(schema, isDue(schema), Examples.body(route))));
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
        .<Object>map(parameter -> components.parameter(describe(route, parameter)))
        .toList();
  }

  private static Map<String, Object> describe(Route route, Parameter parameter) {
    Described described =
        new Described()
            .with("name", parameter.name())
            .with("in", "query")
            .with("description", parameter.description())
            .with("required", parameter.required())
            .with("schema", parameter.schema());
    Examples.parameter(route, parameter).ifPresent(value -> described.with("example", value));
    return described.done();
  }

  static List<Object> preconditions(Route route) {
    if (isTagged(route)) {
      return List.of(Components.header("If-None-Match"));
    }
    if (!route.method().changes()) {
      return route.handling() instanceof Route.Streaming && !route.parameters().isEmpty()
          ? List.of(Components.header("Last-Event-ID"))
          : List.of();
    }
    List<Object> headers = new ArrayList<>(List.of(Components.header("Idempotency-Key")));
    if (route.guard().isPresent()) {
      headers.add(Components.header("If-Match"));
    }
    if (route.response().status() == CREATED) {
      headers.add(Components.header("Only-New"));
    }
    return headers;
  }

  private static boolean isTagged(Route route) {
    return !(route.handling() instanceof Route.Streaming)
        && route.method() == Method.GET
        && route.response().mediaType().equals(Encoded.JSON);
  }

  /** Whether a body must be there; an empty one stands for an empty object. */
  static boolean isDue(Map<String, Object> schema) {
    return !"object".equals(schema.get("type")) || schema.containsKey("required");
  }

  static Map<String, Object> json(
      Map<String, Object> schema, boolean due, Optional<Object> example) {
    Described content = new Described().with("schema", schema);
    example.ifPresent(value -> content.with("example", value));
    return new Described()
        .with("required", due)
        .with("content", Map.of(Encoded.JSON, content.done()))
        .done();
  }

  private static Map<String, Object> responses(Route route) {
    Map<String, Object> responses = new LinkedHashMap<>();
    responses.put(Integer.toString(route.response().status()), success(route));
    if (isTagged(route)) {
      responses.put("304", Described.reference("responses", "NotModified"));
    }
    responses.putAll(Failures.of(route));
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
      Map<String, Object> contents = new LinkedHashMap<>();
      contents.put(response.mediaType(), content);
      if (route.handling() instanceof Route.Streaming streaming) {
        streaming.alternatives().forEach(type -> contents.put(type, Map.of()));
      }
      described.with("content", contents);
    }
    return described.done();
  }
}
