package io.hypercalld.api.rest;

import io.hypercalld.api.json.JsonWriter;
import io.hypercalld.api.json.Shapes;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * An answer that is not yet bytes. Immutable.
 *
 * @param content encoded later, so that whoever made the answer need not wait for it
 */
public record Reply(int status, Content content, Map<String, String> headers) {
  private static final int OK = 200;
  private static final int CREATED = 201;
  private static final int NO_CONTENT = 204;

  /** What is only right at one revision of a machine. */
  public interface Revised {
    /** The same, with the revision of which it is where it does not say so yet. */
    Object of(long revision);
  }

  /** What an answer carries. */
  public sealed interface Content {}

  /** Nothing. */
  public record Nothing() implements Content {}

  /** A value, as a resource. */
  public record Json(Object value) implements Content {}

  /** The result of a hypercall, whose members are named as in C. */
  public record HypercallResult(Object value) implements Content {}

  /** JSON of whatever shape, written when it is due. */
  public record Written(Consumer<JsonWriter> json) implements Content {}

  /** Bytes that are what they are. */
  public record Document(String mediaType, Request.Body bytes) implements Content {}

  /** 200 with a resource. */
  public static Reply ok(Object value) {
    return new Reply(OK, new Json(value), Map.of());
  }

  /** 201 with a resource that is now at {@code location}. */
  public static Reply created(String location, Object value) {
    return new Reply(CREATED, new Json(value), Map.of("Location", location));
  }

  /** 204. */
  public static Reply done() {
    return new Reply(NO_CONTENT, new Nothing(), Map.of());
  }

  /** 200 with text. */
  public static Reply text(String mediaType, String text) {
    return document(mediaType, text.getBytes(StandardCharsets.UTF_8));
  }

  /** 200 with bytes. */
  public static Reply document(String mediaType, byte[] bytes) {
    return new Reply(OK, new Document(mediaType, new Request.Body(bytes)), Map.of());
  }

  /** The same of a revision, where that is told. */
  Reply of(long revision) {
    return content instanceof Json(Revised revised)
        ? new Reply(status, new Json(revised.of(revision)), headers)
        : this;
  }

  /**
   * The same with the tag of something else.
   *
   * @param lasting as much of the answer as does not change by itself
   */
  public Reply tagged(Object lasting) {
    return with(Encoded.TAG, ok(lasting).encode().entityTag());
  }

  Reply with(String header, String value) {
    Map<String, String> all = new LinkedHashMap<>(headers);
    all.put(header, value);
    return new Reply(status, content, all);
  }

  /** The content where it is JSON. */
  public Optional<byte[]> json() {
    return Optional.of(encode())
        .filter(encoded -> encoded.mediaType().equals(Encoded.JSON))
        .map(Encoded::body);
  }

  Encoded encode() {
    return switch (content) {
      case Nothing() -> new Encoded(status, "", new byte[0], headers);
      case Json(Object value) ->
          new Encoded(status, Encoded.JSON, Shapes.RESOURCES.encode(value), headers);
      case HypercallResult(Object value) ->
          new Encoded(status, Encoded.JSON, Shapes.HYPERCALLS.encode(value), headers);
      case Written(Consumer<JsonWriter> json) ->
          new Encoded(status, Encoded.JSON, JsonWriter.write(json), headers);
      case Document(String mediaType, Request.Body bytes) ->
          new Encoded(status, mediaType, bytes.bytes(), headers);
    };
  }
}
