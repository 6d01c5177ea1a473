package io.hypercalld.api.openapi;

import io.hypercalld.api.rest.Problem;
import io.hypercalld.api.rest.ProblemType;
import io.hypercalld.api.rest.Problems;
import io.hypercalld.core.errno.Errno;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The parts of the document that others refer to. Confined to the thread that makes the document.
 */
final class Components {
  private static final String PROBLEM = "Problem";
  private static final String TOKEN = "token";

  private final Map<String, Object> schemas = new TreeMap<>();
  private final Map<String, Object> parameters = new TreeMap<>();

  Components() {
    schemas.put(PROBLEM, problem());
    schemas.put(
        "HypercallResult",
        object(
            "What came of a hypercall",
            new Described()
                .with("ret", Map.of("type", "integer", "description", "0, or a count"))
                .with("out", Map.of("type", "object", "description", "What the C struct returns"))
                .done()));
    schemas.put(
        "HypercallRefusal",
        object(
            "What a refused hypercall answers where the envelope is asked for",
            new Described()
                .with("ret", Map.of("type", "integer", "description", "Minus the errno's number"))
                .with("errno", Map.of("type", "string", "enum", errnos()))
                .with("detail", Map.of("type", "string"))
                .done()));
    parameters.put(
        "header.If-Match",
        header("If-Match", "Tag of the resource as it was seen; 412 where it is another now"));
    parameters.put(
        "header.If-None-Match",
        header("If-None-Match", "Tag of the resource as it was seen; 304 where it still is"));
    parameters.put(
        "header.Only-New",
        header("If-None-Match", "* to make nothing that is there: 412 where it is"));
    parameters.put(
        "header.Idempotency-Key",
        header(
            "Idempotency-Key",
            "Has the change made once: its answer is told again for 24 hours; 422 where the key was"
                + " another request's, 409 while that is under way"));
    parameters.put(
        "header.Last-Event-ID",
        header(
            "Last-Event-ID",
            "The last event that is known; stream.resync comes first where it is too old"));
  }

  private static List<String> errnos() {
    return Arrays.stream(Errno.values()).map(Errno::name).toList();
  }

  /** The shape of every failure, with all values that clients may rely on. */
  private static Map<String, Object> problem() {
    Map<String, Object> schema = new LinkedHashMap<>(Problem.schema());
    if (schema.get("properties") instanceof Map<?, ?> properties) {
      Map<String, Object> all = new LinkedHashMap<>();
      properties.forEach((name, value) -> all.put(String.valueOf(name), value));
      List<String> types = Problems.all().stream().map(ProblemType::uri).distinct().toList();
      all.put("type", Map.of("type", "string", "format", "uri-reference", "enum", types));
      List<Object> names = new ArrayList<>(errnos());
      all.put(
          "errno",
          Map.of(
              "anyOf", List.of(Map.of("type", "string", "enum", names), Map.of("type", "null"))));
      schema.put("properties", all);
    }
    return schema;
  }

  private static Map<String, Object> object(String description, Map<String, Object> properties) {
    return new Described()
        .with("description", description)
        .with("type", "object")
        .with("properties", properties)
        .with("required", List.copyOf(properties.keySet()))
        .done();
  }

  private static Map<String, Object> header(String name, String description) {
    return new Described()
        .with("name", name)
        .with("in", "header")
        .with("description", description)
        .with("schema", Map.of("type", "string"))
        .done();
  }

  /** A reference to a schema that is put among the parts under a name of its own. */
  Map<String, Object> schema(String name, Map<String, Object> schema) {
    schemas.put(name, schema);
    return Described.reference("schemas", name);
  }

  /** A reference to a schema that is there already. */
  static Map<String, Object> schema(String name) {
    return Described.reference("schemas", name);
  }

  /** A reference to a header that is there already. */
  static Map<String, Object> header(String name) {
    return Described.reference("parameters", "header." + name);
  }

  /** A reference to the parameter; itself where another one goes by its name. */
  Map<String, Object> parameter(Map<String, Object> parameter) {
    String name = parameter.get("in") + "." + parameter.get("name");
    Object known = parameters.putIfAbsent(name, parameter);
    return known == null || known.equals(parameter)
        ? Described.reference("parameters", name)
        : parameter;
  }

  /** A response that carries a problem. */
  static Map<String, Object> problem(String description) {
    return new Described()
        .with("description", description)
        .with(
            "content",
            Map.of(Problem.MEDIA_TYPE, Map.of("schema", Described.reference("schemas", PROBLEM))))
        .done();
  }

  Map<String, Object> done() {
    Map<String, Object> responses = new LinkedHashMap<>();
    responses.put("Problem", problem("What went wrong"));
    responses.putAll(Failures.responses());
    responses.put("Overloaded", overloaded());
    responses.put("NotModified", Map.of("description", "The caller has it already"));
    return new Described()
        .with("schemas", schemas)
        .with("responses", responses)
        .with("parameters", parameters)
        .with("headers", headers())
        .with(
            "securitySchemes",
            Map.of(
                TOKEN,
                Map.of(
                    "type",
                    "http",
                    "scheme",
                    "bearer",
                    "description",
                    "Only where the daemon was started with a token")))
        .done();
  }

  private static Map<String, Object> overloaded() {
    Map<String, Object> response =
        new LinkedHashMap<>(problem("The machine has as much to do as it can queue, or is ending"));
    response.put("headers", Map.of("Retry-After", Described.reference("headers", "Retry-After")));
    return response;
  }

  private static Map<String, Object> headers() {
    return new Described()
        .with("ETag", text("Tag of exactly this representation"))
        .with("Location", text("Where the new resource is"))
        .with("Retry-After", text("Seconds to wait"))
        .done();
  }

  private static Map<String, Object> text(String description) {
    return Map.of("description", description, "schema", Map.of("type", "string"));
  }

  /** Who may ask: anybody, or who presents the token. */
  static List<Object> security() {
    return List.of(Map.of(), Map.of(TOKEN, List.of()));
  }
}
