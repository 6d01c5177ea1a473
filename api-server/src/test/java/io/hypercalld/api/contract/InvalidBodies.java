package io.hypercalld.api.contract;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** Bodies that a schema does not allow, each wrong in one way. Never instantiated. */
final class InvalidBodies {
  private static final List<String> OF_NO_TYPE = List.of("[[]]", "1.5", "\"\\u0000\"", "{\"a\":1}");

  private InvalidBodies() {}

  static List<String> of(JsonNode schema) {
    List<String> bodies =
        new ArrayList<>(
            List.of("", "nonsense", "{\"a\":", "null", "1", "{} {}", "{\"a\":1,\"a\":1}"));
    if (!schema.has("properties")) {
      return bodies;
    }
    Map<String, String> valid = members(schema);
    bodies.add("[]");
    bodies.add(object(valid, "bogus", "1"));
    for (JsonNode name : schema.path("required")) {
      Map<String, String> others = new LinkedHashMap<>(valid);
      others.remove(name.asText());
      bodies.add(object(others));
    }
    schema
        .path("properties")
        .properties()
        .forEach(
            member -> {
              for (String value : OF_NO_TYPE) {
                if (!allows(member.getValue(), value)) {
                  bodies.add(object(valid, member.getKey(), value));
                }
              }
            });
    return bodies;
  }

  /** Whether a schema may allow a value, as far as types tell. */
  private static boolean allows(JsonNode schema, String value) {
    for (String choice : List.of("oneOf", "anyOf")) {
      for (JsonNode alternative : schema.path(choice)) {
        if (allows(alternative, value)) {
          return true;
        }
      }
      if (schema.has(choice)) {
        return false;
      }
    }
    List<String> types = new ArrayList<>();
    schema.path("type").forEach(type -> types.add(type.asText()));
    types.add(schema.path("type").asText());
    return switch (value.charAt(0)) {
          case '[' -> types.contains("array");
          case '{' -> types.contains("object");
          case '"' -> types.contains("string") && !schema.has("pattern") && !schema.has("enum");
          default -> types.contains("number");
        }
        || types.equals(List.of(""));
  }

  private static Map<String, String> members(JsonNode schema) {
    Map<String, String> members = new LinkedHashMap<>();
    for (JsonNode name : schema.path("required")) {
      members.put(name.asText(), valid(schema.path("properties").path(name.asText())));
    }
    return members;
  }

  /** A value that a schema allows. */
  static String valid(JsonNode schema) {
    for (String choice : List.of("oneOf", "anyOf")) {
      if (schema.has(choice)) {
        return valid(schema.path(choice).get(0));
      }
    }
    if (schema.has("enum")) {
      return schema.path("enum").get(0).toString();
    }
    if (schema.path("format").asText().equals("uuid")) {
      return "\"00000000-0000-0000-0000-000000000001\"";
    }
    if (schema.has("examples")) {
      return schema.path("examples").get(0).toString();
    }
    return switch (schema.path("type").asText()) {
      case "integer" -> schema.path("minimum").asText("0");
      case "boolean" -> "true";
      case "array" -> "[]";
      case "object" -> object(members(schema));
      default -> schema.path("pattern").asText().startsWith("^0") ? "\"0x0\"" : "\"ab\"";
    };
  }

  private static String object(Map<String, String> members, String name, String value) {
    Map<String, String> more = new LinkedHashMap<>(members);
    more.put(name, value);
    return object(more);
  }

  private static String object(Map<String, String> members) {
    return members.entrySet().stream()
        .map(member -> "\"" + member.getKey() + "\":" + member.getValue())
        .collect(Collectors.joining(",", "{", "}"));
  }
}
