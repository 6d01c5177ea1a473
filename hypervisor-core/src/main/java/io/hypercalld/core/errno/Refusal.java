package io.hypercalld.core.errno;

import com.google.errorprone.annotations.FormatMethod;
import java.util.Map;

/**
 * A request that is refused, thrown where the reason is known, with nothing changed.
 *
 * <p>The message is one sentence with values, written for the person who made the request. It
 * carries no stack trace: a refusal is an answer, not an accident.
 */
public final class Refusal extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final Errno errno;
  private final transient Object out;

  private Refusal(Errno errno, String reason, Object out) {
    super(reason, null, false, false);
    this.errno = errno;
    this.out = out;
  }

  /** A refusal whose reason is a format string, as in {@link String#format}. */
  @FormatMethod
  public static Refusal of(Errno errno, String reason, Object... values) {
    return new Refusal(
        errno, values.length == 0 ? reason : String.format(reason, values), Map.of());
  }

  /** The same, for a call that writes to its caller's memory even then. */
  public Refusal returning(Object written) {
    return new Refusal(errno, reason(), written);
  }

  /**
   * What the C struct returns all the same; an empty map where that is nothing, as it mostly is.
   */
  public Object out() {
    return out;
  }

  public Errno errno() {
    return errno;
  }

  /** The reason, never null. */
  public String reason() {
    return String.valueOf(getMessage());
  }
}
