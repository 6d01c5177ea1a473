package io.hypercalld.api.conformance;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;

/** The members of a recorded JSON object, by name. Immutable; members not asked for are ignored. */
record Members(JsonNode object) {
  /**
   * @throws UnreadableRecording where it is no object
   */
  Members {
    if (!object.isObject()) {
      throw new UnreadableRecording("an object is due, not " + object.getNodeType());
    }
  }

  /** A number that must be there: a JSON number, or text as {@link Hex#parse} reads it. */
  long number(String name) {
    return optionalNumber(name)
        .orElseThrow(() -> new UnreadableRecording("no number \"" + name + "\""));
  }

  /**
   * A number from 0 on that must be there.
   *
   * @param end first number that it cannot be
   */
  int integer(String name, int end) {
    long value = number(name);
    if (value < 0 || value >= end) {
      throw new UnreadableRecording("\"" + name + "\" is " + value + ", not below " + end);
    }
    return (int) value;
  }

  /** A requester's id that must be there. */
  int sourceId(String name) {
    return integer(name, 1 << Short.SIZE);
  }

  /** A number, empty where it is absent or null. */
  Optional<Long> optionalNumber(String name) {
    return present(name).map(Members::number);
  }

  String text(String name) {
    return present(name)
        .map(JsonNode::asText)
        .orElseThrow(() -> new UnreadableRecording("no text \"" + name + "\""));
  }

  /** Whether the member is there and true. */
  boolean flag(String name) {
    return present(name).map(JsonNode::asBoolean).orElse(false);
  }

  boolean has(String name) {
    return object.hasNonNull(name);
  }

  Optional<JsonNode> present(String name) {
    return Optional.ofNullable(object.get(name)).filter(node -> !node.isNull());
  }

  Optional<Members> child(String name) {
    return present(name).map(Members::new);
  }

  /** The elements of an array; none where it is absent or null. */
  <T> List<T> list(String name, Function<JsonNode, T> element) {
    List<T> list = new ArrayList<>();
    present(name).ifPresent(array -> array.forEach(node -> list.add(element.apply(node))));
    return list;
  }

  /** Every member as a number, by name. */
  Map<String, Long> numbers() {
    Map<String, Long> numbers = new TreeMap<>();
    object.properties().forEach(member -> numbers.put(member.getKey(), number(member.getValue())));
    return numbers;
  }

  /** One number, as {@link #number(String)} takes it. */
  static long number(JsonNode node) {
    return node.isNumber() ? node.longValue() : Hex.parse(node.asText());
  }
}
