package io.hypercalld.api.cli;

import com.google.errorprone.annotations.FormatMethod;

/** A start that cannot be: one line says which setting is wrong, where it comes from, and why. */
public final class InvalidSetting extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private InvalidSetting(String line) {
    super(line, null, false, false);
  }

  /** A line from a format string, as in {@link String#format}. */
  @FormatMethod
  public static InvalidSetting of(String line, Object... values) {
    return new InvalidSetting(values.length == 0 ? line : String.format(line, values));
  }

  /** The line, never null. */
  public String line() {
    return String.valueOf(getMessage());
  }
}
