package io.hypercalld.api.json;

import io.hypercalld.core.bits.Word;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * One component of a record as a member of an object. Immutable.
 *
 * @param absent what the value is where the member is left out; empty where it must not be
 */
record Member(
    String name, Shape<Object> shape, Function<Object, Object> accessor, Optional<Object> absent) {
  void write(Object holder, JsonWriter out) {
    shape.write(accessor.apply(holder), out);
  }

  Map<String, Object> schema() {
    Map<String, Object> schema = new LinkedHashMap<>(shape.schema());
    absent.flatMap(Member::published).ifPresent(value -> schema.put("default", value));
    return schema;
  }

  private static Optional<Object> published(Object absent) {
    return switch (absent) {
      case Number number -> Optional.of(number);
      case Boolean flag -> Optional.of(flag);
      case String text -> Optional.of(text);
      case Word word -> Optional.of(word.toString());
      case Enum<?> constant -> Optional.of(EnumShape.text(constant));
      default -> Optional.empty();
    };
  }
}
