package io.hypercalld.api.client;

import com.google.errorprone.annotations.FormatMethod;
import com.google.errorprone.annotations.FormatString;

/** A command that comes to nothing. The message is the line that the user reads. */
final class CommandFailure extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final Exit exit;

  private CommandFailure(Exit exit, String line) {
    super(line, null, false, false);
    this.exit = exit;
  }

  /** A failure; {@code line} is a format string, as in {@link String#format}. */
  @FormatMethod
  static CommandFailure of(Exit exit, @FormatString String line, Object... values) {
    return new CommandFailure(exit, line.formatted(values));
  }

  Exit exit() {
    return exit;
  }

  /** The line, never null. */
  String line() {
    return String.valueOf(getMessage());
  }
}
