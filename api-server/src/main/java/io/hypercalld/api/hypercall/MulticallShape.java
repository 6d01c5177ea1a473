package io.hypercalld.api.hypercall;

import com.fasterxml.jackson.core.JsonToken;
import io.hypercalld.api.json.InvalidBody;
import io.hypercalld.api.json.JsonReader;
import io.hypercalld.api.json.JsonWriter;
import io.hypercalld.api.json.Shape;
import io.hypercalld.api.json.Spelling;
import io.hypercalld.core.hypercall.Hypercall;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Many calls: {@code [{"call":"domctl","op":"assign_device","args":{...}},...]}. Immutable.
 *
 * <p>Where the arguments come after the names, as usual, each call is read in one pass.
 */
public record MulticallShape(HypercallCatalogue catalogue) implements Shape<List<Hypercall>> {
  /** The most calls that one body may hold. */
  public static final int MOST = 65_536;

  private static final byte[] NO_ARGUMENTS = "{}".getBytes(StandardCharsets.UTF_8);

  /** One call while its members are being read. */
  private static final class Draft {
    private @Nullable String call;
    private @Nullable String op;
    private @Nullable Hypercall read;
    private byte @Nullable [] unread;
  }

  @Override
  public List<Hypercall> read(JsonReader in) {
    if (in.token() != JsonToken.START_ARRAY) {
      throw in.expected("an array");
    }
    List<Hypercall> calls = new ArrayList<>();
    while (in.next() != JsonToken.END_ARRAY) {
      if (calls.size() == MOST) {
        throw in.invalid("more than %d calls", MOST);
      }
      calls.add(readCall(in));
    }
    return calls;
  }

  private Hypercall readCall(JsonReader in) {
    if (in.token() != JsonToken.START_OBJECT) {
      throw in.expected("an object");
    }
    Draft draft = new Draft();
    while (in.next() != JsonToken.END_OBJECT) {
      readMember(in, draft);
    }
    if (draft.read != null) {
      return draft.read;
    }
    String place = in.pointer();
    Operation<?> operation = operation(draft, place);
    byte[] arguments = draft.unread == null ? NO_ARGUMENTS : draft.unread;
    return JsonReader.readAll(arguments, operation.shape(), place + "/args");
  }

  private void readMember(JsonReader in, Draft draft) {
    String name = in.name();
    switch (name) {
      case "call" -> draft.call = readName(in, draft.call);
      case "op" -> draft.op = readName(in, draft.op);
      case "args" -> readArguments(in, draft);
      default ->
          throw in.invalid("unknown member%s", Spelling.hint(name, List.of("call", "op", "args")));
    }
  }

  private static String readName(JsonReader in, @Nullable String before) {
    if (before != null) {
      throw in.invalid("the member appears twice");
    }
    if (in.next() != JsonToken.VALUE_STRING) {
      throw in.expected("a string");
    }
    return in.text();
  }

  private void readArguments(JsonReader in, Draft draft) {
    if (draft.read != null || draft.unread != null) {
      throw in.invalid("the member appears twice");
    }
    if (draft.call != null && draft.op != null) {
      // Where it stands takes longer to say than to read.
      Operation<?> operation =
          catalogue
              .find(draft.call, draft.op)
              .orElseGet(() -> operation(draft, holderOf(in.pointer())));
      in.next();
      draft.read = operation.shape().read(in);
    } else {
      in.next();
      draft.unread = in.capture();
    }
  }

  private static String holderOf(String place) {
    return place.substring(0, place.lastIndexOf('/'));
  }

  /** The operation that is meant, or a complaint about what is there in its place. */
  private Operation<?> operation(Draft draft, String place) {
    if (draft.call == null || draft.op == null) {
      String missing = draft.call == null ? "call" : "op";
      throw InvalidBody.at(place + "/" + missing, "the member %s is missing", missing);
    }
    String call = draft.call;
    String op = draft.op;
    if (!catalogue.calls().contains(call)) {
      throw InvalidBody.at(
          place + "/call", "no hypercall %s%s", call, Spelling.hint(call, catalogue.calls()));
    }
    return catalogue
        .find(call, op)
        .orElseThrow(
            () ->
                InvalidBody.at(
                    place + "/op",
                    "%s has no operation %s%s",
                    call,
                    op,
                    Spelling.hint(op, catalogue.ops(call))));
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
