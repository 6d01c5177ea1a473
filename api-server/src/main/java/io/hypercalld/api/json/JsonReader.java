package io.hypercalld.api.json;

import com.fasterxml.jackson.core.JsonEncoding;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.SerializableString;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.util.ByteArrayBuilder;
import com.google.errorprone.annotations.FormatMethod;
import java.io.IOException;
import java.util.OptionalLong;

/**
 * A body read token by token, with complaints that say where. Confined to the thread that decodes
 * one request.
 */
public final class JsonReader {
  private static final JsonFactory FACTORY =
      JsonFactory.builder()
          .streamReadConstraints(StreamReadConstraints.builder().maxNestingDepth(64).build())
          .build();

  private final JsonParser parser;
  private final String prefix;

  private JsonReader(JsonParser parser, String prefix) {
    this.parser = parser;
    this.prefix = prefix;
  }

  /** Reads exactly one value that is the whole of {@code body}. */
  public static <T> T readAll(byte[] body, Shape<T> shape) {
    return readAll(body, shape, "");
  }

  /** As {@link #readAll(byte[], Shape)}, for a body that stands at {@code prefix} of another. */
  public static <T> T readAll(byte[] body, Shape<T> shape, String prefix) {
    try (JsonParser parser = FACTORY.createParser(body)) {
      JsonReader in = new JsonReader(parser, prefix);
      if (in.parser.nextToken() == null) {
        throw InvalidBody.at("", "the body is empty, JSON is due");
      }
      T value = shape.read(in);
      if (in.parser.nextToken() != null) {
        throw InvalidBody.at("", "something follows the JSON value %s", in.place());
      }
      return value;
    } catch (IOException e) {
      throw malformed(e);
    }
  }

  /** Where the text stops being JSON, which is not where the last token began. */
  private static InvalidBody malformed(IOException failure) {
    return failure instanceof JsonProcessingException json && json.getLocation() != null
        ? InvalidBody.at(
            "",
            "the body is not well-formed JSON at byte %d",
            Math.max(0, json.getLocation().getByteOffset()))
        : InvalidBody.at("", "the body is not well-formed JSON");
  }

  /** The current token. */
  public JsonToken token() {
    return parser.currentToken();
  }

  /** Moves on to the next token of an object or an array that has begun. */
  public JsonToken next() {
    try {
      JsonToken token = parser.nextToken();
      if (token == null) {
        throw endsWithin();
      }
      return token;
    } catch (IOException e) {
      throw malformed(e);
    }
  }

  /** Moves on likewise; whether it is to a member of that name. */
  boolean nextIs(SerializableString name) {
    try {
      if (parser.nextFieldName(name)) {
        return true;
      }
      if (parser.currentToken() == null) {
        throw endsWithin();
      }
      return false;
    } catch (IOException e) {
      throw malformed(e);
    }
  }

  private static InvalidBody endsWithin() {
    return InvalidBody.at("", "the body ends within a value");
  }

  /** The name of the member that begins here. */
  public String name() {
    return text();
  }

  /** The current scalar as it is spelled. */
  public String text() {
    try {
      return parser.getText();
    } catch (IOException e) {
      throw malformed(e);
    }
  }

  /** As {@link #text}, and {@code likely} itself where it is spelled like that. */
  public String text(String likely) {
    try {
      char[] letters = parser.getTextCharacters();
      int from = parser.getTextOffset();
      int length = parser.getTextLength();
      boolean same = length == likely.length();
      for (int i = 0; same && i < length; i++) {
        same = letters[from + i] == likely.charAt(i);
      }
      return same ? likely : parser.getText();
    } catch (IOException e) {
      throw malformed(e);
    }
  }

  /** The current string as a word in hexadecimal, if it is one. */
  Numbers.OptionalHex hex() {
    try {
      return Numbers.parseHex(
          parser.getTextCharacters(), parser.getTextOffset(), parser.getTextLength());
    } catch (IOException e) {
      throw malformed(e);
    }
  }

  /** The current integer, or empty where it has more than 64 bits. */
  public OptionalLong integer() {
    try {
      return switch (parser.getNumberType()) {
        case INT, LONG -> OptionalLong.of(parser.getLongValue());
        case BIG_INTEGER, FLOAT, DOUBLE, BIG_DECIMAL -> OptionalLong.empty();
      };
    } catch (IOException e) {
      throw malformed(e);
    }
  }

  /** Skips the current value, whatever it is, as long as it is well-formed. */
  public void skip() {
    try {
      parser.skipChildren();
    } catch (IOException e) {
      throw malformed(e);
    }
  }

  /**
   * The current value's own text, for a reader that learns only later what shape it has. Afterwards
   * the current token is the value's last one.
   */
  public byte[] capture() {
    ByteArrayBuilder bytes = new ByteArrayBuilder();
    try (JsonGenerator copy = FACTORY.createGenerator(bytes, JsonEncoding.UTF8)) {
      copy.copyCurrentStructure(parser);
    } catch (IOException e) {
      throw malformed(e);
    }
    return bytes.toByteArray();
  }

  /** JSON Pointer of the current token. */
  public String pointer() {
    return prefix + parser.getParsingContext().pathAsPointer();
  }

  /** A complaint about the current token. */
  @FormatMethod
  public InvalidBody invalid(String detail, Object... values) {
    return InvalidBody.at(pointer(), detail, values);
  }

  /** A complaint that something else is due here. */
  public InvalidBody expected(String due) {
    return invalid("%s is due here, not %s", due, kind(token()));
  }

  private static String kind(JsonToken token) {
    return switch (token) {
      case START_OBJECT -> "an object";
      case START_ARRAY -> "an array";
      case VALUE_STRING -> "a string";
      case VALUE_NUMBER_INT -> "an integer";
      case VALUE_NUMBER_FLOAT -> "a fraction";
      case VALUE_TRUE, VALUE_FALSE -> "a boolean";
      case VALUE_NULL -> "null";
      case FIELD_NAME -> "a member";
      case END_OBJECT, END_ARRAY, NOT_AVAILABLE, VALUE_EMBEDDED_OBJECT -> "the end";
    };
  }

  private String place() {
    return "at byte " + Math.max(0, parser.currentTokenLocation().getByteOffset());
  }
}
