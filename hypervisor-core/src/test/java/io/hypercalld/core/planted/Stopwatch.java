package io.hypercalld.core.planted;

/** Asks what time it is. */
public final class Stopwatch {
  private Stopwatch() {}

  static long read() {
    return System.nanoTime();
  }
}
