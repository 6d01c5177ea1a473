package io.hypercalld.core.errno;

import com.google.errorprone.annotations.FormatMethod;

/**
 * A request that is refused, thrown where the reason is known, with nothing changed.
 *
 * <p>The message is one sentence with values, written for the person who made the request. It
 * carries no stack trace: a refusal is an answer, not an accident.
 */
public final class Refusal extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final Errno errno;

  private Refusal(Errno errno, String reason) {
    super(reason, null, false, false);
    this.errno = errno;
  }

  /** A refusal whose reason is a format string, as in {@link String#format}. */
  @FormatMethod
  public static Refusal of(Errno errno, String reason, Object... values) {
    return new Refusal(errno, values.length == 0 ? reason : String.format(reason, values));
  }

  public Errno errno() {
    return errno;
  }

  /** The reason, never null. */
  public String reason() {
    return String.valueOf(getMessage());
  }
}
