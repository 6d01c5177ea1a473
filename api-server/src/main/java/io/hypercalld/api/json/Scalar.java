package io.hypercalld.api.json;

import java.util.Map;
import java.util.function.BiConsumer;
import java.util.function.Function;

/**
 * A value that is one token.
 *
 * @param <T> the type
 */
record Scalar<T>(
    Function<JsonReader, T> reading, BiConsumer<JsonWriter, T> writing, Map<String, Object> schema)
    implements Shape<T> {
  Scalar {
    schema = Map.copyOf(schema);
  }

  @Override
  public T read(JsonReader in) {
    return reading.apply(in);
  }

  @Override
  public void write(T value, JsonWriter out) {
    writing.accept(out, value);
  }
}
