package io.hypercalld.api.client;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * JSON as maps, lists, strings, numbers, booleans and null. Never instantiated.
 *
 * <p>Not by a mapper, whose start would be most of what a command takes.
 */
final class Tree {
  private static final JsonFactory FACTORY = new JsonFactory();

  private Tree() {}

  /**
   * The value that a text is.
   *
   * @throws IOException where it is not exactly one JSON value
   */
  static @Nullable Object parse(String text) throws IOException {
    try (JsonParser parser = FACTORY.createParser(text)) {
      if (parser.nextToken() == null) {
        throw new IOException("nothing where JSON is due");
      }
      Object value = value(parser);
      if (parser.nextToken() != null) {
        throw new IOException("something follows the JSON value");
      }
      return value;
    }
  }

  /** What a word of the command line is: JSON if it reads as that, or else text. */
  static @Nullable Object word(String text) {
    try {
      return parse(text);
    } catch (IOException e) {
      return text;
    }
  }

  private static @Nullable Object value(JsonParser parser) throws IOException {
    return switch (parser.currentToken()) {
      case START_OBJECT -> object(parser);
      case START_ARRAY -> array(parser);
      case VALUE_NUMBER_INT -> parser.getBigIntegerValue();
      case VALUE_NUMBER_FLOAT -> parser.getDecimalValue();
      case VALUE_TRUE -> true;
      case VALUE_FALSE -> false;
      case VALUE_NULL -> null;
      default -> parser.getText();
    };
  }

  private static Map<String, @Nullable Object> object(JsonParser parser) throws IOException {
    Map<String, @Nullable Object> members = new LinkedHashMap<>();
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      String name = parser.currentName();
      parser.nextToken();
      members.put(name, value(parser));
    }
    return members;
  }

  private static List<@Nullable Object> array(JsonParser parser) throws IOException {
    List<@Nullable Object> items = new ArrayList<>();
    while (parser.nextToken() != JsonToken.END_ARRAY) {
      items.add(value(parser));
    }
    return items;
  }

  /** The text of a value, on one line. */
  static String text(@Nullable Object value) {
    StringWriter text = new StringWriter();
    try (JsonGenerator generator = FACTORY.createGenerator(text)) {
      write(value, generator);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return text.toString();
  }

  private static void write(@Nullable Object value, JsonGenerator to) throws IOException {
    switch (value) {
      case Map<?, ?> members -> {
        to.writeStartObject();
        for (Map.Entry<?, ?> member : members.entrySet()) {
          to.writeFieldName(String.valueOf(member.getKey()));
          write(member.getValue(), to);
        }
        to.writeEndObject();
      }
      case List<?> items -> {
        to.writeStartArray();
        for (Object item : items) {
          write(item, to);
        }
        to.writeEndArray();
      }
      case Number number -> to.writeNumber(number.toString());
      case Boolean truth -> to.writeBoolean(truth);
      case null -> to.writeNull();
      default -> to.writeString(value.toString());
    }
  }

  /** What is at a path of members, such as {@code domainIds.used}; null where nothing is. */
  static @Nullable Object at(@Nullable Object value, String path) {
    Object found = value;
    for (String member : path.split("\\.", -1)) {
      found = found instanceof Map<?, ?> members ? members.get(member) : null;
    }
    return found;
  }

  /** The member of that name, if it is text. */
  static Optional<String> textAt(@Nullable Object value, String path) {
    return at(value, path) instanceof String text ? Optional.of(text) : Optional.empty();
  }

  /** The list at a path; empty where there is none. */
  static List<?> listAt(@Nullable Object value, String path) {
    return at(value, path) instanceof List<?> list ? list : List.of();
  }
}
