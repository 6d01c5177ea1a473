package io.hypercalld.api.json;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A value whose shape is known only when it is written: what an {@code Object} or a sealed
 * interface holds. Immutable.
 */
record AnyShape(Shapes shapes) implements Shape<Object> {
  @Override
  public Object read(JsonReader in) {
    return switch (in.token()) {
      case START_OBJECT -> new MapShape<>(this).read(in);
      case START_ARRAY -> new ListShape<>(this).read(in);
      case VALUE_STRING -> in.text();
      case VALUE_NUMBER_INT -> Numbers.COUNT.read(in);
      case VALUE_TRUE, VALUE_FALSE -> Text.BOOLEAN.read(in);
      case VALUE_NULL -> Optional.empty();
      default -> throw in.expected("a value without fractions");
    };
  }

  @Override
  public void write(@Nullable Object value, JsonWriter out) {
    switch (value) {
      case null -> out.nothing();
      case Map<?, ?> map -> writeMap(map, out);
      case List<?> list -> {
        out.beginArray();
        list.forEach(item -> write(item, out));
        out.endArray();
      }
      default -> writeTyped(value, out);
    }
  }

  private void writeMap(Map<?, ?> map, JsonWriter out) {
    out.beginObject();
    map.forEach(
        (name, item) -> {
          out.name(String.valueOf(name));
          write(item, out);
        });
    out.endObject();
  }

  // The shape was asked for by the value's own class.
  @SuppressWarnings("unchecked")
  private void writeTyped(Object value, JsonWriter out) {
    ((Shape<Object>) shapes.of(value.getClass())).write(value, out);
  }

  @Override
  public Map<String, Object> schema() {
    return Map.of();
  }
}
