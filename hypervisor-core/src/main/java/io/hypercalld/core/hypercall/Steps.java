package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.CallCounters;

/**
 * The steps of one long operation. Confined to the machine thread.
 *
 * <p>Between any two pages an operation leaves a legal state; it may be preempted after each {@link
 * #PAGES}. Whoever gets {@code true} here and is not done answers {@link Outcome#preempted} with
 * the call that goes on where it stopped.
 */
public final class Steps {
  /** Pages handled before the operation may be preempted. */
  public static final long PAGES = 512;

  private final CallCounters machine;
  private final CallCounters domain;
  private final long allowed;
  private long taken;
  private long pages;

  /** Extents that are handled at once where nobody is let run between them. */
  private static final long AT_ONCE = 32;

  /** Steps of which the last allowed one ends the operation; 0 for no end. */
  Steps(CallCounters machine, CallCounters domain, long allowed) {
    this.machine = machine;
    this.domain = domain;
    this.allowed = allowed;
  }

  /**
   * Some pages were handled and more are to come.
   *
   * @return whether the operation has to stop here
   */
  public boolean handled(long count) {
    pages += count;
    return pages >= PAGES && next();
  }

  /**
   * Some extents of {@code 1 << order} pages each were handled, no more than {@link #room} said,
   * and more are to come; large ones are a step each.
   *
   * @return whether the operation has to stop here
   */
  boolean handled(long extents, int order) {
    if (1L << order < PAGES) {
      return handled(extents << order);
    }
    for (long i = 1; i < extents; i++) {
      handled(1L << order);
    }
    return handled(1L << order);
  }

  /** How many extents of {@code 1 << order} pages may be handled before anybody is let run. */
  long room(int order) {
    if (1L << order < PAGES) {
      return PAGES >>> order;
    }
    return allowed == 0 ? AT_ONCE : Math.min(AT_ONCE, allowed - taken);
  }

  /**
   * A step ended and another follows.
   *
   * @return whether the operation has to stop here
   */
  public boolean next() {
    finish();
    machine.countContinuation();
    domain.countContinuation();
    taken++;
    return taken == allowed;
  }

  /** The last step ended. */
  public void finish() {
    machine.countStep(pages);
    domain.countStep(pages);
    pages = 0;
  }
}
