package io.hypercalld.api.conformance;

/** A file that is no recording, or that cannot be read at all: its one-line reason. */
public final class UnreadableRecording extends RuntimeException {
  private static final long serialVersionUID = 1L;

  UnreadableRecording(String reason) {
    super(reason, null, false, false);
  }

  /** Why, in one line, never null. */
  public String reason() {
    return String.valueOf(getMessage());
  }

  /** The same, with where it is put before it. */
  UnreadableRecording in(String place) {
    return new UnreadableRecording(place + ": " + reason());
  }
}
