package io.hypercalld.api.machine;

/** The machine has as much to do as its queue holds; nothing was executed. */
public final class Overloaded extends RuntimeException {
  private static final long serialVersionUID = 1L;

  Overloaded() {
    super("the queue is full", null, false, false);
  }
}
