package io.hypercalld.api.resource;

import io.hypercalld.api.rest.Failure;
import io.hypercalld.api.rest.Problems;
import io.hypercalld.api.rest.Request;
import java.time.Duration;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** How long callers are ready to wait. Immutable. */
final class Waits {
  private static final Pattern PREFERENCE =
      Pattern.compile("(?:^|.*[,;]\\s*)wait=([0-9]{1,3})s?(?:[,;].*|$)");
  private static final Pattern SECONDS = Pattern.compile("([0-9]{1,3})s?");
  private static final long MOST_SECONDS = 300;

  private Waits() {}

  /**
   * What the header {@code Prefer: wait=30} asks for; anything else that it asks for is not known
   * and ignored.
   *
   * @see "RFC 7240 §4.3"
   */
  static Duration preferred(Request request) {
    return request
        .header()
        .apply("Prefer")
        .map(PREFERENCE::matcher)
        .filter(Matcher::matches)
        .map(Waits::duration)
        .orElse(Duration.ZERO);
  }

  /**
   * What the parameter {@code wait=30s} asks for.
   *
   * @throws Failure 400
   */
  static Duration parameter(Request request) {
    Optional<String> text = request.parameter("wait");
    if (text.isEmpty()) {
      return Duration.ZERO;
    }
    Matcher matcher = SECONDS.matcher(text.get());
    if (!matcher.matches()) {
      throw Failure.of(
          Problems.INVALID_PARAMETER,
          "wait is a number of seconds such as 30s, not %s",
          text.get());
    }
    return duration(matcher);
  }

  private static Duration duration(Matcher matcher) {
    return Duration.ofSeconds(Math.min(MOST_SECONDS, Long.parseLong(matcher.group(1))));
  }
}
