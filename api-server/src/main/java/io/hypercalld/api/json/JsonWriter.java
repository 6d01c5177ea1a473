package io.hypercalld.api.json;

import com.fasterxml.jackson.core.JsonEncoding;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.SerializableString;
import com.fasterxml.jackson.core.io.SerializedString;
import com.fasterxml.jackson.core.util.ByteArrayBuilder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;

/** Writes one JSON value into memory. Confined to the thread that encodes one answer. */
public final class JsonWriter {
  private static final JsonFactory FACTORY = new JsonFactory();

  private final JsonGenerator generator;

  private JsonWriter(JsonGenerator generator) {
    this.generator = generator;
  }

  /** The UTF-8 bytes of what {@code content} writes. */
  public static byte[] write(Consumer<JsonWriter> content) {
    ByteArrayBuilder bytes = new ByteArrayBuilder();
    try (JsonGenerator generator = FACTORY.createGenerator(bytes, JsonEncoding.UTF8)) {
      content.accept(new JsonWriter(generator));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  public JsonWriter beginObject() {
    return emit(JsonGenerator::writeStartObject);
  }

  public JsonWriter endObject() {
    return emit(JsonGenerator::writeEndObject);
  }

  public JsonWriter beginArray() {
    return emit(JsonGenerator::writeStartArray);
  }

  public JsonWriter endArray() {
    return emit(JsonGenerator::writeEndArray);
  }

  public JsonWriter name(String name) {
    return emit(to -> to.writeFieldName(name));
  }

  public JsonWriter string(String value) {
    return emit(to -> to.writeString(value));
  }

  /** A 64-bit word, as lower-case hexadecimal in a string. */
  public JsonWriter hex(long value) {
    return string("0x" + Long.toHexString(value));
  }

  public JsonWriter number(long value) {
    return emit(to -> to.writeNumber(value));
  }

  public JsonWriter number(double value) {
    return emit(to -> to.writeNumber(value));
  }

  public JsonWriter bool(boolean value) {
    return emit(to -> to.writeBoolean(value));
  }

  public JsonWriter nothing() {
    return emit(JsonGenerator::writeNull);
  }

  /** What {@code content} writes, to be written any number of times. */
  public static SerializableString spell(Consumer<JsonWriter> content) {
    return new SerializedString(new String(write(content), StandardCharsets.UTF_8));
  }

  /** A value that was spelled before. */
  public JsonWriter spelled(SerializableString json) {
    return emit(to -> to.writeRawValue(json));
  }

  private JsonWriter emit(Emission emission) {
    try {
      emission.emit(generator);
      return this;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private interface Emission {
    void emit(JsonGenerator to) throws IOException;
  }
}
