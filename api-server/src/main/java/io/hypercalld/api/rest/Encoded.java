package io.hypercalld.api.rest;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** An answer as it goes out. Immutable. */
public final class Encoded {
  public static final String JSON = "application/json";

  static final String TAG = "ETag";

  /** No answer at all: the connection ends. */
  public static final Encoded LOST = new Encoded(0, "", new byte[0], Map.of());

  private final int status;
  private final String mediaType;
  private final byte[] body;
  private final Map<String, String> headers;

  /** An answer; nobody changes {@code body} any more. */
  Encoded(int status, String mediaType, byte[] body, Map<String, String> headers) {
    this.status = status;
    this.mediaType = mediaType;
    this.body = body;
    this.headers = Map.copyOf(headers);
  }

  public int status() {
    return status;
  }

  /** Whether there is no answer, and the connection is to end. */
  public boolean isLost() {
    return status == 0;
  }

  /** Empty where there is no body. */
  public String mediaType() {
    return mediaType;
  }

  /** The bytes, not to be changed. */
  public byte[] body() {
    return body;
  }

  public Map<String, String> headers() {
    return headers;
  }

  Encoded with(String header, String value) {
    Map<String, String> all = new LinkedHashMap<>(headers);
    all.put(header, value);
    return new Encoded(status, mediaType, body, all);
  }

  /** The same with the place of what was made as the machine has it. */
  Encoded within(Optional<HostedMachine> machine) {
    String location = headers.get("Location");
    return location == null || machine.isEmpty()
        ? this
        : with("Location", machine.get().pathOf(location));
  }

  /** The same with its body's length in place of its body, as HEAD wants it. */
  Encoded withoutBody() {
    Encoded head = new Encoded(status, mediaType, new byte[0], headers);
    return body.length == 0 ? head : head.with("Content-Length", Integer.toString(body.length));
  }

  /** The same with another status and no body. */
  Encoded bodiless(int newStatus) {
    return new Encoded(newStatus, "", new byte[0], headers);
  }

  /** The tag of exactly this representation, unless it came with one. */
  String entityTag() {
    return headers.getOrDefault(TAG, hash());
  }

  private String hash() {
    long hash = 0xcbf29ce484222325L;
    for (byte octet : body) {
      hash = (hash ^ (octet & 0xff)) * 0x100000001b3L;
    }
    return "\"" + Long.toHexString(hash) + "\"";
  }
}
