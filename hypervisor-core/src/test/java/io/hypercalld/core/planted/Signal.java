package io.hypercalld.core.planted;

/** Is read by somebody else's thread. */
public final class Signal {
  private volatile boolean raised;

  boolean isRaised() {
    return raised;
  }

  void raise() {
    raised = true;
  }
}
