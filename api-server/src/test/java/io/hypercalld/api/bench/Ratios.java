package io.hypercalld.api.bench;

import java.io.IOException;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;

/** What is told of turns in which things were measured one beside the other. Immutable. */
final class Ratios {
  /** How often what is compared takes turns. */
  static final int TURNS = Integer.getInteger("load.turns", 15);

  private static final int WARM_UP_SECONDS = Integer.getInteger("load.warmup", 20);

  private Ratios() {}

  /** Something that takes a while. */
  interface Work {
    /** Does it; how long it took, in nanoseconds. */
    long run() throws IOException;
  }

  /**
   * Has it done until what is compiled has been compiled, which takes time rather than requests.
   */
  static void warmUp(Work work) throws IOException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(WARM_UP_SECONDS);
    while (System.nanoTime() < end) {
      work.run();
    }
  }

  static double perSecond(int times, long nanos) {
    return times * 1e9 / nanos;
  }

  static double[] of(double[] these, double[] those) {
    return IntStream.range(0, these.length).mapToDouble(i -> these[i] / those[i]).toArray();
  }

  static double median(double[] values) {
    return Arrays.stream(values).sorted().skip(values.length / 2).findFirst().orElseThrow();
  }

  static double most(double[] values) {
    return Arrays.stream(values).max().orElseThrow();
  }

  static void say(String what, double value) {
    System.out.printf("%-64s %14.2f%n", what, value);
  }

  /** Says a figure, and whether it is what it has to be. */
  static void say(String what, double value, String relation, double goal) {
    boolean reached = relation.equals(">=") ? value >= goal : value < goal;
    System.out.printf(
        "%-64s %14.2f  %s %s %s%n",
        what, value, relation, goal, reached ? "reached" : "NOT REACHED");
  }
}
