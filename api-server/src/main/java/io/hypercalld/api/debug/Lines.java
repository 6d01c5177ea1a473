package io.hypercalld.api.debug;

import com.google.errorprone.annotations.FormatMethod;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Lines as they are printed, up to a limit that is said. Confined to the machine thread. */
final class Lines {
  private static final int MOST = 100_000;

  private final List<String> lines = new ArrayList<>();
  private long dropped;

  @FormatMethod
  void print(String format, Object... values) {
    if (lines.size() < MOST) {
      lines.add(String.format(Locale.ROOT, format, values));
    } else {
      dropped++;
    }
  }

  List<String> all() {
    if (dropped > 0) {
      lines.add("(%d more lines)".formatted(dropped));
      dropped = 0;
    }
    return List.copyOf(lines);
  }
}
