package io.hypercalld.api.rest;

import io.hypercalld.api.json.JsonWriter;
import io.hypercalld.api.json.Shapes;
import io.hypercalld.core.errno.Errno;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * One failure as it is told: RFC 9457, with Xen's error number. Immutable.
 *
 * @param call the hypercall, as {@code domctl.assign_device}
 * @param injectedBy the fault rule that had it fail, where one did
 * @param out what the hypercall returns although it is refused; mostly nothing
 * @param pointer JSON Pointer of the place in the body that is wrong
 */
public record Problem(
    ProblemType type,
    String detail,
    Optional<Errno> errno,
    Optional<String> call,
    Optional<String> pointer,
    Optional<String> hint,
    Optional<Object> out,
    Optional<String> injectedBy) {
  /** RFC 9457. */
  public static final String MEDIA_TYPE = "application/problem+json";

  public static Problem of(ProblemType type, String detail) {
    return new Problem(
        type,
        detail,
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        type.hint(),
        Optional.empty(),
        Optional.empty());
  }

  public Problem refusing(Errno number) {
    return new Problem(type, detail, Optional.of(number), call, pointer, hint, out, injectedBy);
  }

  public Problem calling(String name) {
    return new Problem(type, detail, errno, Optional.of(name), pointer, hint, out, injectedBy);
  }

  public Problem at(String place) {
    return new Problem(type, detail, errno, call, Optional.of(place), hint, out, injectedBy);
  }

  public Problem hinting(String sentence) {
    return new Problem(type, detail, errno, call, pointer, Optional.of(sentence), out, injectedBy);
  }

  /** With what the hypercall returns all the same; an empty map is nothing. */
  public Problem returning(Object value) {
    return Map.of().equals(value)
        ? this
        : new Problem(type, detail, errno, call, pointer, hint, Optional.of(value), injectedBy);
  }

  public Problem injectedBy(String rule) {
    return new Problem(type, detail, errno, call, pointer, hint, out, Optional.of(rule));
  }

  byte[] encode(String requestId) {
    return JsonWriter.write(json -> write(json, requestId));
  }

  /** As one message among others: {@code {"rid":7,"problem":{...}}}. */
  byte[] encodeAbout(Optional<Long> request, String requestId) {
    return JsonWriter.write(
        json -> {
          json.beginObject();
          json.name("rid");
          request.ifPresentOrElse(json::number, json::nothing);
          write(json.name("problem"), requestId);
          json.endObject();
        });
  }

  private void write(JsonWriter json, String requestId) {
    json.beginObject();
    json.name("type").string(type.uri());
    json.name("title").string(type.title());
    json.name("status").number(type.status());
    json.name("detail").string(detail);
    text(json, "errno", errno.map(Errno::name));
    errno.ifPresentOrElse(
        number -> json.name("ret").number(-number.number()), () -> json.name("ret").nothing());
    text(json, "call", call);
    text(json, "pointer", pointer);
    text(json, "hint", hint);
    out.ifPresent(value -> Shapes.HYPERCALLS.any().write(value, json.name("out")));
    injectedBy.ifPresent(rule -> json.name("injectedBy").string(rule));
    json.name("requestId").string(requestId);
    json.endObject();
  }

  private static void text(JsonWriter out, String name, Optional<String> value) {
    out.name(name);
    value.ifPresentOrElse(out::string, out::nothing);
  }

  /** The JSON Schema of the document. */
  public static Map<String, Object> schema() {
    Map<String, Object> nullable = Map.of("type", List.of("string", "null"));
    Map<String, Object> properties = new LinkedHashMap<>();
    properties.put(
        "type",
        Map.of("type", "string", "enum", Problems.all().stream().map(ProblemType::uri).toList()));
    properties.put("title", Map.of("type", "string"));
    properties.put("status", Map.of("type", "integer"));
    properties.put("detail", Map.of("type", "string"));
    properties.put("errno", nullable);
    properties.put("ret", Map.of("type", List.of("integer", "null")));
    properties.put("call", nullable);
    properties.put("pointer", nullable);
    properties.put("hint", nullable);
    properties.put("requestId", Map.of("type", "string"));
    List<String> required = List.copyOf(properties.keySet());
    properties.put("out", Map.of("type", "object"));
    properties.put("injectedBy", Map.of("type", "string"));
    return Map.of("type", "object", "properties", properties, "required", required);
  }
}
