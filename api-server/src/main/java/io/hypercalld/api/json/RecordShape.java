package io.hypercalld.api.json;

import com.fasterxml.jackson.core.JsonToken;
import io.hypercalld.core.bits.Word;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A record as an object: one member a component, all of them due but those with a default.
 * Immutable.
 *
 * @param <T> the record
 */
final class RecordShape<T> implements Shape<T> {
  private final List<Member> members;
  private final MemberNames names;
  private final Constructor<T> constructor;
  private final long due;

  /** Makes a record of its components' values. */
  interface Constructor<T> {
    T of(@Nullable Object[] values);
  }

  RecordShape(List<Member> members, Constructor<T> constructor) {
    if (members.size() > Long.SIZE) {
      throw new IllegalArgumentException("a record of more than 64 components");
    }
    this.members = List.copyOf(members);
    this.names = new MemberNames(members.stream().map(Member::name).toList());
    this.constructor = constructor;
    long required = 0;
    for (int i = 0; i < members.size(); i++) {
      required |= members.get(i).absent().isPresent() ? 0 : 1L << i;
    }
    this.due = required;
  }

  /** The same record with one more member, which is not the record's. */
  Shape<Framed<T>> framed(Member extra) {
    List<Member> all = new ArrayList<>(members);
    all.add(extra);
    int own = members.size();
    return new RecordShape<>(
        all,
        values ->
            new Framed<>(
                constructor.of(Arrays.copyOf(values, own)),
                (Word) Objects.requireNonNull(values[own])));
  }

  @Override
  public T read(JsonReader in) {
    if (in.token() != JsonToken.START_OBJECT) {
      throw in.expected("an object");
    }
    @Nullable Object[] values = new @Nullable Object[members.size()];
    long seen = 0;
    for (int index = names.next(in, MemberNames.END);
        index != MemberNames.END;
        index = names.next(in, index)) {
      if ((seen & (1L << index)) != 0) {
        throw in.invalid("the member appears twice");
      }
      seen |= 1L << index;
      in.next();
      values[index] = members.get(index).shape().read(in);
    }
    if ((due & ~seen) != 0) {
      String missing = members.get(Long.numberOfTrailingZeros(due & ~seen)).name();
      throw InvalidBody.at(in.pointer() + "/" + missing, "the member %s is missing", missing);
    }
    complete(values, seen);
    return constructor.of(values);
  }

  private void complete(@Nullable Object[] values, long seen) {
    for (int i = 0; i < values.length; i++) {
      if ((seen & (1L << i)) == 0) {
        values[i] = members.get(i).absent().orElseThrow();
      }
    }
  }

  @Override
  public void write(T value, JsonWriter out) {
    out.beginObject();
    for (Member member : members) {
      out.name(member.name());
      member.write(value, out);
    }
    out.endObject();
  }

  @Override
  public Map<String, Object> schema() {
    Map<String, Object> properties = new LinkedHashMap<>();
    List<String> required = new ArrayList<>();
    for (Member member : members) {
      properties.put(member.name(), member.schema());
      if (member.absent().isEmpty()) {
        required.add(member.name());
      }
    }
    Map<String, Object> schema = new LinkedHashMap<>();
    schema.put("type", "object");
    schema.put("properties", properties);
    if (!required.isEmpty()) {
      schema.put("required", required);
    }
    schema.put("additionalProperties", false);
    return schema;
  }
}
