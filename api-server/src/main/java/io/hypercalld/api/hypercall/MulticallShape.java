package io.hypercalld.api.hypercall;

import com.fasterxml.jackson.core.JsonToken;
import io.hypercalld.api.json.JsonReader;
import io.hypercalld.api.json.JsonWriter;
import io.hypercalld.api.json.Shape;
import io.hypercalld.core.hypercall.Hypercall;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Many calls: {@code [{"call":"domctl","op":"assign_device","args":{...}},...]}. Immutable. */
public record MulticallShape(HypercallCatalogue catalogue) implements Shape<List<Hypercall>> {
  /** The most calls that one body may hold. */
  public static final int MOST = 65_536;

  @Override
  public List<Hypercall> read(JsonReader in) {
    if (in.token() != JsonToken.START_ARRAY) {
      throw in.expected("an array");
    }
    MulticallReader reader = new MulticallReader(catalogue, in);
    List<Hypercall> calls = new ArrayList<>();
    while (in.next() != JsonToken.END_ARRAY) {
      if (calls.size() == MOST) {
        throw in.invalid("more than %d calls", MOST);
      }
      calls.add(reader.next());
    }
    return calls;
  }

  @Override
  public void write(List<Hypercall> value, JsonWriter out) {
    throw new IllegalStateException("calls are read, not written");
  }

  @Override
  public Map<String, Object> schema() {
    Map<String, Object> properties = new LinkedHashMap<>();
    properties.put("call", Map.of("type", "string"));
    properties.put("op", Map.of("type", "string"));
    properties.put("args", Map.of("type", "object"));
    Map<String, Object> call = new LinkedHashMap<>();
    call.put("type", "object");
    call.put("properties", properties);
    call.put("required", List.of("call", "op"));
    call.put("additionalProperties", false);
    return Map.of("type", "array", "maxItems", MOST, "items", call);
  }
}
