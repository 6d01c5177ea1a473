package io.hypercalld.api.journal;

/** A text that is no journal; the message says what is wrong with it. */
final class Malformed extends RuntimeException {
  private static final long serialVersionUID = 1;

  private final String why;

  Malformed(String why) {
    super(why);
    this.why = why;
  }

  /** What is wrong. */
  String why() {
    return why;
  }
}
