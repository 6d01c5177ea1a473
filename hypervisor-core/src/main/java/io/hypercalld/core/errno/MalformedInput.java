package io.hypercalld.core.errno;

import com.google.errorprone.annotations.FormatMethod;
import com.google.errorprone.annotations.FormatString;

/**
 * Bytes or text from outside that cannot be what they claim to be: a firmware table, a listing, a
 * platform file. The message is one line that says where and why; whoever named the source adds
 * what.
 */
public final class MalformedInput extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private MalformedInput(String message) {
    super(message, null, false, false);
  }

  /**
   * An input that is wrong at a place.
   *
   * @param where an offset, a line or a member: {@code offset 0x30}, {@code line 12}, {@code
   *     /units/0/cap}
   * @param why a format string, as in {@link String#format}
   */
  @FormatMethod
  public static MalformedInput at(String where, @FormatString String why, Object... values) {
    return new MalformedInput(
        where + ": " + (values.length == 0 ? why : String.format(why, values)));
  }

  /** Where and why, in one line, never null. */
  public String reason() {
    return String.valueOf(getMessage());
  }
}
