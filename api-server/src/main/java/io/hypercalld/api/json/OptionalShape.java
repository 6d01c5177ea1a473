package io.hypercalld.api.json;

import com.fasterxml.jackson.core.JsonToken;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A value or null. Immutable.
 *
 * @param <T> the type of the value
 */
record OptionalShape<T>(Shape<T> value) implements Shape<Optional<T>> {
  @Override
  public Optional<T> read(JsonReader in) {
    return in.token() == JsonToken.VALUE_NULL ? Optional.empty() : Optional.of(value.read(in));
  }

  @Override
  public void write(Optional<T> optional, JsonWriter out) {
    optional.ifPresentOrElse(present -> value.write(present, out), out::nothing);
  }

  @Override
  public Map<String, Object> schema() {
    return Map.of("oneOf", List.of(value.schema(), Map.of("type", "null")));
  }
}
