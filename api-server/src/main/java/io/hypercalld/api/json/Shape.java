package io.hypercalld.api.json;

import java.util.Map;

/**
 * What one Java type looks like as JSON. Immutable and thread-safe.
 *
 * @param <T> the type
 */
public interface Shape<T> {
  /**
   * The value at the reader's current token; afterwards the current token is the value's last one.
   *
   * @throws InvalidBody where the JSON is anything else
   */
  T read(JsonReader in);

  /** Writes a value that this shape describes. */
  void write(T value, JsonWriter out);

  /** The JSON Schema (draft 2020-12) of the values, as plain maps, lists and scalars. */
  Map<String, Object> schema();
}
