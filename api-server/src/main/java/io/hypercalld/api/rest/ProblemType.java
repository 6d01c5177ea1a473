package io.hypercalld.api.rest;

import java.util.Map;
import java.util.Optional;

/**
 * A way to fail that clients may rely on. Immutable.
 *
 * @param name the stable end of its {@code type}: {@code device-busy}
 * @param status the HTTP status
 * @param title the same sentence each time
 * @param hint what usually helps
 */
public record ProblemType(String name, int status, String title, Optional<String> hint) {
  private static final int UNAVAILABLE = 503;

  static ProblemType of(String name, int status, String title) {
    return new ProblemType(name, status, title, Optional.empty());
  }

  ProblemType hinting(String sentence) {
    return new ProblemType(name, status, title, Optional.of(sentence));
  }

  /** What every answer of this type says besides: when to come back, where that helps. */
  Map<String, String> headers() {
    return status == UNAVAILABLE ? Map.of("Retry-After", "1") : Map.of();
  }

  /** The relative URI that identifies it and answers with its page. */
  public String uri() {
    return "/problems/" + name;
  }
}
