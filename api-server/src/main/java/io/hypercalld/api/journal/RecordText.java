package io.hypercalld.api.journal;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.api.json.JsonWriter;
import io.hypercalld.core.bits.HexBytes;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Stream;

/**
 * Records of plain values as JSON and back, exactly: component by component, by their declared
 * types. Never instantiated.
 *
 * <p>A record of one component is written as that component. Where the declared type is sealed, the
 * member {@value #TAG} names which of its records it is; nothing but those is ever made, whatever a
 * text says.
 */
final class RecordText {
  private static final String TAG = "is";
  private static final long MOST_EXACT = (1L << 53) - 1;

  private RecordText() {}

  /** Writes a value of a declared type. */
  static void write(Type declared, Object value, JsonWriter out) {
    switch (value) {
      case Optional<?> optional ->
          optional.ifPresentOrElse(
              present -> write(argument(declared), present, out), out::nothing);
      case Set<?> elements -> writeAll(declared, inOrder(elements), out);
      case Collection<?> elements -> writeAll(declared, elements, out);
      case Integer number -> out.number(number);
      case Long number -> writeLong(number, out);
      case Double number -> out.number(number);
      case Boolean bool -> out.bool(bool);
      case String text -> out.string(text);
      case Enum<?> constant -> out.string(constant.name());
      case HexBytes bytes -> out.string(bytes.toString());
      case UUID id -> out.string(id.toString());
      case Record whole -> writeRecord(raw(declared), whole, out);
      default -> throw new IllegalArgumentException("no text for a " + value.getClass().getName());
    }
  }

  private static void writeAll(Type declared, Collection<?> elements, JsonWriter out) {
    out.beginArray();
    elements.forEach(element -> write(argument(declared), element, out));
    out.endArray();
  }

  /** Equal sets are told alike, in whatever order they go through their elements. */
  private static List<?> inOrder(Set<?> elements) {
    return elements.stream().sorted(Comparator.comparing(RecordText::name)).toList();
  }

  private static String name(Object element) {
    return element instanceof Enum<?> constant ? constant.name() : element.toString();
  }

  private static void writeLong(long number, JsonWriter out) {
    if (Math.abs(number) <= MOST_EXACT) {
      out.number(number);
    } else {
      out.hex(number);
    }
  }

  private static void writeRecord(Class<?> declared, Record value, JsonWriter out) {
    RecordParts parts = RecordParts.of(value.getClass());
    boolean tagged = declared != value.getClass();
    if (!tagged && parts.types().size() == 1) {
      write(parts.types().getFirst(), parts.value(value, 0), out);
      return;
    }
    out.beginObject();
    if (tagged) {
      out.name(TAG).string(value.getClass().getSimpleName());
    }
    for (int i = 0; i < parts.names().size(); i++) {
      out.name(parts.names().get(i));
      write(parts.types().get(i), parts.value(value, i), out);
    }
    out.endObject();
  }

  /**
   * Reads a value of a declared type.
   *
   * @throws Malformed where there is another one
   */
  static Object read(Type declared, JsonNode node) {
    Class<?> raw = raw(declared);
    if (raw == Optional.class) {
      return node.isNull() ? Optional.empty() : Optional.of(read(argument(declared), node));
    }
    if (raw == List.class) {
      return List.copyOf(readAll(argument(declared), node));
    }
    if (raw == Set.class) {
      // In the order of the text, which Set.copyOf would not keep.
      return Collections.unmodifiableSet(new LinkedHashSet<>(readAll(argument(declared), node)));
    }
    if (raw.isRecord()) {
      return readRecord(raw, node, false);
    }
    return raw.isSealed() && !raw.isEnum() ? readTagged(raw, node) : readPlain(raw, node);
  }

  private static List<Object> readAll(Type element, JsonNode node) {
    require(node.isArray(), node, "an array");
    List<Object> elements = new ArrayList<>();
    node.forEach(each -> elements.add(read(element, each)));
    return elements;
  }

  private static Object readPlain(Class<?> type, JsonNode node) {
    if (type == int.class || type == Integer.class) {
      require(node.isIntegralNumber() && node.canConvertToInt(), node, "a small whole number");
      return node.intValue();
    }
    if (type == long.class || type == Long.class) {
      return readLong(node);
    }
    if (type == double.class || type == Double.class) {
      require(node.isNumber(), node, "a number");
      return node.doubleValue();
    }
    if (type == boolean.class || type == Boolean.class) {
      require(node.isBoolean(), node, "true or false");
      return node.booleanValue();
    }
    require(node.isTextual(), node, "a string");
    return readText(type, node.textValue());
  }

  private static long readLong(JsonNode node) {
    if (node.isTextual() && node.textValue().matches("0x[0-9a-f]{1,16}")) {
      return Long.parseUnsignedLong(node.textValue().substring(2), 16);
    }
    require(node.isIntegralNumber() && node.canConvertToLong(), node, "a whole number");
    return node.longValue();
  }

  private static Object readText(Class<?> type, String text) {
    if (type == String.class) {
      return text;
    }
    if (type == HexBytes.class) {
      return HexBytes.parse(text)
          .orElseThrow(() -> new Malformed("%s is no bytes".formatted(text)));
    }
    if (type == UUID.class) {
      return UUID.fromString(text);
    }
    return Stream.of(type.getEnumConstants())
        .filter(constant -> ((Enum<?>) constant).name().equals(text))
        .findFirst()
        .orElseThrow(() -> new Malformed("%s is no %s".formatted(text, type.getSimpleName())));
  }

  private static Object readTagged(Class<?> declared, JsonNode node) {
    require(node.isObject() && node.path(TAG).isTextual(), node, "an object that says what it is");
    String name = node.path(TAG).textValue();
    Class<?> type =
        records(declared)
            .filter(each -> each.getSimpleName().equals(name))
            .findFirst()
            .orElseThrow(
                () -> new Malformed("%s is no %s".formatted(name, declared.getSimpleName())));
    return readRecord(type, node, true);
  }

  /** The records that a sealed type permits, at whatever depth. */
  static Stream<Class<?>> records(Class<?> type) {
    return type.isSealed()
        ? Stream.of(type.getPermittedSubclasses()).flatMap(RecordText::records)
        : Stream.of(type);
  }

  private static Object readRecord(Class<?> type, JsonNode node, boolean tagged) {
    RecordParts parts = RecordParts.of(type);
    List<Object> values = new ArrayList<>();
    if (!tagged && parts.types().size() == 1) {
      values.add(read(parts.types().getFirst(), node));
      return parts.construct(values);
    }
    require(node.isObject(), node, "an object");
    int members = parts.names().size() + (tagged ? 1 : 0);
    if (node.size() != members) {
      throw new Malformed("a %s has %d members".formatted(type.getSimpleName(), members));
    }
    for (int i = 0; i < parts.names().size(); i++) {
      String name = parts.names().get(i);
      if (!node.has(name)) {
        throw new Malformed("a %s has a %s".formatted(type.getSimpleName(), name));
      }
      values.add(read(parts.types().get(i), node.get(name)));
    }
    return parts.construct(values);
  }

  private static void require(boolean right, JsonNode node, String wanted) {
    if (!right) {
      String found = node.toString();
      throw new Malformed(
          "%s is due, not %s"
              .formatted(wanted, found.length() > 60 ? found.substring(0, 60) + "…" : found));
    }
  }

  private static Class<?> raw(Type type) {
    return type instanceof ParameterizedType generic
        ? (Class<?>) generic.getRawType()
        : (Class<?>) type;
  }

  private static Type argument(Type type) {
    return ((ParameterizedType) type).getActualTypeArguments()[0];
  }
}
