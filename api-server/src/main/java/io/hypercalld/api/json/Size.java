package io.hypercalld.api.json;

import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** An amount of memory, spelled as a number of bytes or of a binary unit. Immutable. */
public record Size(long bytes) {
  private static final Pattern TEXT = Pattern.compile("([0-9]{1,19})(KiB|MiB|GiB|TiB|)");
  private static final List<String> UNITS = List.of("", "KiB", "MiB", "GiB", "TiB");
  private static final int BITS_PER_UNIT = 10;

  /** The size that the text spells: {@code 64GiB}, {@code 4096}. */
  public static Optional<Size> parse(String text) {
    Matcher matcher = TEXT.matcher(text);
    if (!matcher.matches()) {
      return Optional.empty();
    }
    try {
      long number = Long.parseLong(matcher.group(1));
      int shift = UNITS.indexOf(matcher.group(2)) * BITS_PER_UNIT;
      return number <= Long.MAX_VALUE >>> shift
          ? Optional.of(new Size(number << shift))
          : Optional.empty();
    } catch (NumberFormatException e) {
      return Optional.empty();
    }
  }

  /** In the largest unit of which it is a whole number. */
  @Override
  public String toString() {
    int unit =
        bytes == 0
            ? 0
            : Math.min(UNITS.size() - 1, Long.numberOfTrailingZeros(bytes) / BITS_PER_UNIT);
    return (bytes >>> (unit * BITS_PER_UNIT)) + UNITS.get(unit);
  }
}
