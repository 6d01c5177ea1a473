package io.hypercalld.api.machine;

import io.hypercalld.api.json.InvalidBody;
import io.hypercalld.core.hypercall.OrElse;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How much time passes before a hypercall is made, or before its answer goes out. Immutable.
 *
 * <p>By the {@code virtual} clock, which is usual, time passes for the machine before the call; by
 * the {@code wall} clock the call is made at once, the machine goes on with others, and who asked
 * is answered later.
 *
 * <p>Times are texts such as {@code 5ms}, in ns, us, ms or s. {@code fixed} takes {@code value};
 * {@code uniform} anything from {@code min} to {@code max} alike; {@code lognormal} {@code median *
 * exp(sigma * n)}, {@code n} normally distributed. One time is drawn for each call that the rule
 * strikes, from the rule's own numbers, and nothing is added to it: the distribution is the jitter.
 * Of several rules only the one that strikes delays. Where several calls of one request are struck,
 * their times add up.
 */
public record FaultDelay(
    Type type,
    Optional<String> value,
    Optional<String> min,
    Optional<String> max,
    Optional<String> median,
    Optional<Double> sigma,
    @OrElse("\"virtual\"") Clock clock) {
  private static final Pattern TIME = Pattern.compile("([0-9]{1,9})(ns|us|ms|s)");

  /** Whose time passes. */
  public enum Clock {
    VIRTUAL,
    WALL;

    @Override
    public String toString() {
      return name().toLowerCase(java.util.Locale.ROOT);
    }
  }

  /** How times are distributed. */
  public enum Type {
    FIXED,
    UNIFORM,
    LOGNORMAL;

    @Override
    public String toString() {
      return name().toLowerCase(java.util.Locale.ROOT);
    }
  }

  /**
   * Checks that it has what its type takes and nothing else.
   *
   * @throws InvalidBody where it has not
   */
  public FaultDelay {
    boolean right =
        switch (type) {
          case FIXED -> value.isPresent() && absent(min, max, median, sigma);
          case UNIFORM -> min.isPresent() && max.isPresent() && absent(value, median, sigma);
          case LOGNORMAL -> median.isPresent() && sigma.isPresent() && absent(value, min, max);
        };
    if (!right) {
      throw InvalidBody.at(
          "/effect/delay", "fixed has a value, uniform min and max, lognormal median and sigma");
    }
    value.ifPresent(FaultDelay::nanos);
    median.ifPresent(FaultDelay::nanos);
    if (type == Type.UNIFORM && nanos(min.get()) > nanos(max.get())) {
      throw InvalidBody.at("/effect/delay/min", "min is at most max");
    }
    if (sigma.filter(wide -> wide < 0 || wide > 10).isPresent()) {
      throw InvalidBody.at("/effect/delay/sigma", "sigma is from 0 to 10");
    }
  }

  private static boolean absent(Optional<?>... members) {
    return java.util.Arrays.stream(members).allMatch(Optional::isEmpty);
  }

  /** Nanoseconds for the next call. */
  long draw(Chance chance) {
    return switch (type) {
      case FIXED -> nanos(value.orElseThrow());
      case UNIFORM -> {
        long least = nanos(min.orElseThrow());
        yield least + (long) (chance.next() * (nanos(max.orElseThrow()) - least + 1));
      }
      case LOGNORMAL ->
          (long)
              (nanos(median.orElseThrow())
                  * StrictMath.exp(sigma.orElseThrow() * chance.nextNormal()));
    };
  }

  private static long nanos(String text) {
    Matcher time = TIME.matcher(text);
    if (!time.matches()) {
      throw InvalidBody.at(
          "/effect/delay", "a time is a number and a unit such as 5ms, not %s", text);
    }
    long unit =
        switch (time.group(2)) {
          case "ns" -> 1;
          case "us" -> 1_000;
          case "ms" -> 1_000_000;
          default -> 1_000_000_000;
        };
    return Long.parseLong(time.group(1)) * unit;
  }
}
