package io.hypercalld.core.planted;

/** Brings a thread of its own. */
public final class Worker {
  private Worker() {}

  static String name() {
    return Thread.currentThread().getName();
  }
}
