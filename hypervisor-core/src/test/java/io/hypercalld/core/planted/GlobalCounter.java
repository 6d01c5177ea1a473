package io.hypercalld.core.planted;

/** One count for all machines. */
public final class GlobalCounter {
  private static long count;

  private GlobalCounter() {}

  static long next() {
    return count++;
  }
}
