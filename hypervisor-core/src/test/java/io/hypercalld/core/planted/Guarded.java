package io.hypercalld.core.planted;

/** Takes a lock. */
public final class Guarded {
  private int value;

  synchronized int next() {
    return ++value;
  }
}
