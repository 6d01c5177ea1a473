package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.CallCounters;

/**
 * Counts where a long operation would let others run. Confined to the machine thread.
 *
 * <p>Between any two pages an operation leaves a legal state; it stops to be preempted after each
 * {@link #PAGES}.
 */
final class Steps {
  /** Pages handled before the operation lets others run. */
  static final long PAGES = 512;

  private final CallCounters machine;
  private final CallCounters domain;
  private long pages;

  Steps(CallCounters machine, CallCounters domain) {
    this.machine = machine;
    this.domain = domain;
  }

  /** Some pages were handled and more are to come. */
  void handled(long count) {
    pages += count;
    if (pages >= PAGES) {
      next();
    }
  }

  /** A step ended and another follows. */
  void next() {
    finish();
    machine.countContinuation();
    domain.countContinuation();
  }

  /** The last step ended. */
  void finish() {
    machine.countStep(pages);
    domain.countStep(pages);
    pages = 0;
  }
}
