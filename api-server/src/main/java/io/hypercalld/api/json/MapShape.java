package io.hypercalld.api.json;

import com.fasterxml.jackson.core.JsonToken;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * An object whose members all have one shape and names of their own. Immutable.
 *
 * @param <T> the type of the members
 */
record MapShape<T>(Shape<T> member) implements Shape<Map<String, T>> {
  @Override
  public Map<String, T> read(JsonReader in) {
    if (in.token() != JsonToken.START_OBJECT) {
      throw in.expected("an object");
    }
    Map<String, T> members = new LinkedHashMap<>();
    while (in.next() != JsonToken.END_OBJECT) {
      String name = in.name();
      if (members.containsKey(name)) {
        throw in.invalid("the member appears twice");
      }
      in.next();
      members.put(name, member.read(in));
    }
    return members;
  }

  @Override
  public void write(Map<String, T> value, JsonWriter out) {
    out.beginObject();
    value.forEach(
        (name, item) -> {
          out.name(name);
          member.write(item, out);
        });
    out.endObject();
  }

  @Override
  public Map<String, Object> schema() {
    return Map.of("type", "object", "additionalProperties", member.schema());
  }
}
