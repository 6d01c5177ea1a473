package io.hypercalld.api.openapi;

import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/**
 * An object of the document while it is put together, its members in order. Confined to the thread
 * that makes the document.
 */
final class Described {
  /** The order that people expect; other members follow, by name. */
  private static final List<String> USUAL_ORDER =
      List.of("$ref", "name", "in", "title", "description", "required", "type", "format", "items");

  private static final Comparator<String> BY_USE =
      Comparator.<String>comparingInt(Described::rank).thenComparing(Comparator.naturalOrder());

  private final Map<String, Object> members = new LinkedHashMap<>();

  private static int rank(String name) {
    int index = USUAL_ORDER.indexOf(name);
    return index < 0 ? USUAL_ORDER.size() : index;
  }

  Described with(String name, Object value) {
    members.put(name, value);
    return this;
  }

  Map<String, Object> done() {
    return members;
  }

  static Map<String, Object> reference(String kind, String name) {
    return Map.of("$ref", "#/components/" + kind + "/" + name);
  }

  /** The value with every object's members in an order that does not change between runs. */
  static Object ordered(Object value) {
    return switch (value) {
      case Map<?, ?> map -> orderedMap(map);
      case List<?> list -> list.stream().map(Described::ordered).toList();
      default -> value;
    };
  }

  /** Maps without an order of their own get one. */
  private static Map<String, Object> orderedMap(Map<?, ?> map) {
    Map<String, Object> ordered = new LinkedHashMap<>();
    if (map instanceof SequencedMap<?, ?>) {
      map.forEach((name, value) -> ordered.put(String.valueOf(name), ordered(value)));
    } else {
      map.entrySet().stream()
          .sorted(Comparator.comparing(entry -> String.valueOf(entry.getKey()), BY_USE))
          .forEach(entry -> ordered.put(String.valueOf(entry.getKey()), ordered(entry.getValue())));
    }
    return ordered;
  }
}
