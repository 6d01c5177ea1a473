package io.hypercalld.core.console;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.time.VirtualClock;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/**
 * The hypervisor's console ring: the last lines that it printed, as {@code xl dmesg} shows them.
 * Confined to the machine thread.
 *
 * @see "xen/drivers/char/console.c"
 */
public final class Console implements Digestible {
  /** Lines that are kept. */
  public static final int CAPACITY = 1024;

  /**
   * One line.
   *
   * @param number counts all lines since power-on, from 1
   * @param time nanoseconds since power-on
   */
  public record Line(long number, long time, String text) {
    /** As the console shows it. */
    @Override
    public String toString() {
      return "(XEN) " + text;
    }
  }

  private final VirtualClock clock;
  private final Deque<Line> lines = new ArrayDeque<>();
  private long printed;

  public Console(VirtualClock clock) {
    this.clock = clock;
  }

  /** Prints one line; the oldest goes where there are too many. */
  public void print(String text) {
    printed++;
    if (lines.size() == CAPACITY) {
      lines.removeFirst();
    }
    lines.addLast(new Line(printed, clock.now(), text));
  }

  /** The lines that are kept, oldest first. */
  public List<Line> lines() {
    return List.copyOf(lines);
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("console").put(printed);
    lines.forEach(line -> digest.put(line.time()).put(line.text()));
  }
}
