package io.hypercalld.api.json;

import com.fasterxml.jackson.core.JsonToken;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * An enum: its constants' own texts where it has them, else their names in lower case. Immutable.
 *
 * @param <E> the enum
 */
final class EnumShape<E extends Enum<E>> implements Shape<E> {
  private final Map<String, E> byText = new LinkedHashMap<>();

  EnumShape(Class<E> type) {
    for (E constant : type.getEnumConstants()) {
      byText.put(text(constant), constant);
    }
  }

  static String text(Enum<?> constant) {
    String text = constant.toString();
    return text.equals(constant.name()) ? text.toLowerCase(Locale.ROOT) : text;
  }

  @Override
  public E read(JsonReader in) {
    if (in.token() != JsonToken.VALUE_STRING) {
      throw in.expected("a string");
    }
    E constant = byText.get(in.text());
    if (constant == null) {
      throw in.invalid("not one of %s", String.join(", ", byText.keySet()));
    }
    return constant;
  }

  @Override
  public void write(E value, JsonWriter out) {
    out.string(text(value));
  }

  @Override
  public Map<String, Object> schema() {
    return Map.of("type", "string", "enum", List.copyOf(byText.keySet()));
  }
}
