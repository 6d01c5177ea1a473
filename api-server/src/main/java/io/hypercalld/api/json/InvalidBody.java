package io.hypercalld.api.json;

import com.google.errorprone.annotations.FormatMethod;
import com.google.errorprone.annotations.FormatString;

/**
 * A request body that is not what its resource takes. The message is a sentence for the person who
 * sent it; nothing has been executed.
 */
public final class InvalidBody extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final String pointer;

  private InvalidBody(String pointer, String detail) {
    super(detail, null, false, false);
    this.pointer = pointer;
  }

  /**
   * A body that is wrong at a place.
   *
   * @param pointer JSON Pointer (RFC 6901) of the place, empty for the whole body
   * @param detail a format string, as in {@link String#format}
   */
  @FormatMethod
  public static InvalidBody at(String pointer, @FormatString String detail, Object... values) {
    return new InvalidBody(pointer, values.length == 0 ? detail : String.format(detail, values));
  }

  public String pointer() {
    return pointer;
  }

  /** The sentence, never null. */
  public String detail() {
    return String.valueOf(getMessage());
  }
}
