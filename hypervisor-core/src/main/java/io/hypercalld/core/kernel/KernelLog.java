package io.hypercalld.core.kernel;

import com.google.errorprone.annotations.FormatMethod;
import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import java.util.ArrayDeque;
import java.util.List;

/** The last lines that a kernel has said. Confined to the machine thread. */
public final class KernelLog implements Digestible {
  private static final int MOST_LINES = 64;

  private final ArrayDeque<String> lines = new ArrayDeque<>();

  @FormatMethod
  void say(String format, Object... values) {
    if (lines.size() == MOST_LINES) {
      lines.removeFirst();
    }
    lines.addLast(format.formatted(values));
  }

  /** Oldest first. */
  public List<String> lines() {
    return List.copyOf(lines);
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("kernel-log").put(lines.size());
    lines.forEach(digest::put);
  }
}
