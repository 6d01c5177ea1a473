package io.hypercalld.core.domain;

/** Hypercalls and their steps since the last reset. Confined to the machine thread. */
public final class CallCounters {
  private long hypercalls;
  private long continuations;
  private long longestStep;

  /** Hypercalls made. */
  public long hypercalls() {
    return hypercalls;
  }

  /** Times a hypercall would have let others run before it went on. */
  public long continuations() {
    return continuations;
  }

  /** Frames, entries or the like handled in the longest step between two continuations. */
  public long longestStep() {
    return longestStep;
  }

  public void countHypercall() {
    hypercalls++;
  }

  /** A step ended and another follows. */
  public void countContinuation() {
    continuations++;
  }

  /** A step handled {@code items}. */
  public void countStep(long items) {
    longestStep = Math.max(longestStep, items);
  }

  public void reset() {
    hypercalls = 0;
    continuations = 0;
    longestStep = 0;
  }
}
