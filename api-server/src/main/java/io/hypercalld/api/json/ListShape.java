package io.hypercalld.api.json;

import com.fasterxml.jackson.core.JsonToken;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A JSON array of one kind of element. Immutable.
 *
 * @param <T> the type of the elements
 */
record ListShape<T>(Shape<T> element) implements Shape<List<T>> {
  @Override
  public List<T> read(JsonReader in) {
    if (in.token() != JsonToken.START_ARRAY) {
      throw in.expected("an array");
    }
    List<T> elements = new ArrayList<>();
    while (in.next() != JsonToken.END_ARRAY) {
      elements.add(element.read(in));
    }
    return List.copyOf(elements);
  }

  @Override
  public void write(List<T> value, JsonWriter out) {
    out.beginArray();
    for (T item : value) {
      element.write(item, out);
    }
    out.endArray();
  }

  @Override
  public Map<String, Object> schema() {
    return Map.of("type", "array", "items", element.schema());
  }
}
