package io.hypercalld.core.domain;

/** Hypercalls and their steps since the last reset. Confined to the machine thread. */
public final class CallCounters {
  private long hypercalls;
  private long traps;
  private long continuations;
  private long longestStep;

  /** Hypercalls made, each of a multicall by itself. */
  public long hypercalls() {
    return hypercalls;
  }

  /** Times that a guest was left for hypercalls, once for a whole multicall. */
  public long traps() {
    return traps;
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

  public void countTrap() {
    traps++;
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
    traps = 0;
    continuations = 0;
    longestStep = 0;
  }
}
