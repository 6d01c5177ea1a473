package io.hypercalld.api.rest;

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
  static ProblemType of(String name, int status, String title) {
    return new ProblemType(name, status, title, Optional.empty());
  }

  ProblemType hinting(String sentence) {
    return new ProblemType(name, status, title, Optional.of(sentence));
  }

  /** The relative URI that identifies it and answers with its page. */
  public String uri() {
    return "/problems/" + name;
  }
}
