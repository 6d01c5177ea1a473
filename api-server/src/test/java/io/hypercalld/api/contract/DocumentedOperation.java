package io.hypercalld.api.contract;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion;
import io.hypercalld.api.contract.ServedMachine.Answer;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * One operation as the OpenAPI document has it, and whether an answer is one of those that it
 * names.
 *
 * @param document the whole of it, where references lead
 */
record DocumentedOperation(JsonNode document, String method, String path, JsonNode operation) {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final JsonSchemaFactory SCHEMAS =
      JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V202012);

  static List<DocumentedOperation> all(JsonNode document) {
    List<DocumentedOperation> all = new ArrayList<>();
    document
        .path("paths")
        .properties()
        .forEach(
            path ->
                path.getValue()
                    .properties()
                    .forEach(
                        one ->
                            all.add(
                                new DocumentedOperation(
                                    document,
                                    one.getKey().toUpperCase(Locale.ROOT),
                                    path.getKey(),
                                    one.getValue()))));
    return all;
  }

  @Override
  public String toString() {
    return name();
  }

  String name() {
    return method + " " + path;
  }

  /** Whether its body is JSON, not a file of its own kind. */
  boolean takesJson() {
    return bodySchema().filter(schema -> !schema.has("description")).isPresent();
  }

  boolean isHypercall() {
    return path.startsWith("/v1/hypercalls/") && !path.contains("{") && !path.endsWith("multicall");
  }

  /** The node that a reference leads to, or itself. */
  JsonNode resolved(JsonNode node) {
    return node.has("$ref") ? document.at(node.path("$ref").asText().substring(1)) : node;
  }

  List<JsonNode> parameters(String in) {
    List<JsonNode> parameters = new ArrayList<>();
    operation
        .path("parameters")
        .forEach(
            reference -> {
              JsonNode parameter = resolved(reference);
              if (parameter.path("in").asText().equals(in)) {
                parameters.add(parameter);
              }
            });
    return parameters;
  }

  /** The path and the required parameters, as their examples say. */
  String target() {
    String target = path;
    for (JsonNode place : parameters("path")) {
      String value = place.path("example").asText();
      target = target.replace("{" + place.path("name").asText() + "}", value.replace(" ", "%20"));
    }
    List<String> query = new ArrayList<>();
    for (JsonNode parameter : parameters("query")) {
      if (parameter.has("example")) {
        query.add(
            parameter.path("name").asText()
                + "="
                + URLEncoder.encode(parameter.path("example").asText(), StandardCharsets.UTF_8));
      }
    }
    return query.isEmpty() ? target : target + "?" + String.join("&", query);
  }

  private JsonNode body() {
    return operation.at("/requestBody/content/application~1json");
  }

  /** What a body must be; empty where none is taken. */
  Optional<JsonNode> bodySchema() {
    return body().has("schema") ? Optional.of(resolved(body().path("schema"))) : Optional.empty();
  }

  String exampleBody() {
    return body().has("example") ? body().path("example").toString() : "";
  }

  /** The statuses that it names, {@code default} aside. */
  List<Integer> statuses() {
    List<Integer> statuses = new ArrayList<>();
    operation
        .path("responses")
        .fieldNames()
        .forEachRemaining(
            status -> {
              if (!status.equals("default")) {
                statuses.add(Integer.valueOf(status));
              }
            });
    return statuses;
  }

  /** What is wrong with an answer, by this document; empty where nothing is. */
  List<String> complaints(Answer answer) {
    JsonNode responses = operation.path("responses");
    String status = Integer.toString(answer.status());
    boolean named = responses.has(status);
    if (!named && answer.status() < 400) {
      return List.of("status " + status + " is not documented");
    }
    JsonNode response = resolved(responses.path(named ? status : "default"));
    if (!response.has("content")) {
      return answer.text().isEmpty() ? List.of() : List.of("a body where none is documented");
    }
    String mediaType = answer.header("Content-Type").replaceFirst(";.*", "");
    Optional<Map.Entry<String, JsonNode>> documented =
        response.path("content").properties().stream()
            .filter(one -> Set.of(mediaType, "*/*").contains(one.getKey().replaceFirst(";.*", "")))
            .findFirst();
    if (documented.isEmpty()) {
      return List.of(mediaType + " is not among what is documented");
    }
    JsonNode schema = documented.get().getValue().path("schema");
    if (schema.isMissingNode() || !mediaType.endsWith("json")) {
      return List.of();
    }
    List<String> complaints = new ArrayList<>(violations(schema, answer.json()));
    if (answer.status() >= 400 && answer.json().path("status").asInt() != answer.status()) {
      complaints.add("the problem tells another status");
    }
    return complaints;
  }

  /** How a value is not as a schema of this document has it. */
  List<String> violations(JsonNode schema, JsonNode value) {
    ObjectNode whole = JSON.createObjectNode();
    whole.set("allOf", JSON.createArrayNode().add(schema));
    whole.set("components", document.path("components"));
    return SCHEMAS.getSchema(whole).validate(value).stream().map(Object::toString).toList();
  }
}
