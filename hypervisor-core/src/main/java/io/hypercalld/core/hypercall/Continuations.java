package io.hypercalld.core.hypercall;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.domain.CallCounters;
import io.hypercalld.core.domain.Domain;

/**
 * Where long operations could let others run, and whether they have to. Confined to the machine
 * thread.
 *
 * <p>In Xen a preempted hypercall is issued again by the hypercall layer, with its progress in its
 * arguments, and its caller never notices. Here that can be made visible: an operation that is to
 * stop answers {@link Outcome.Preempted} with the call that goes on.
 *
 * @see "xen/include/xen/sched.h, hypercall_preempt_check"
 */
public final class Continuations implements Digestible {
  private final CallCounters counters;
  private long every;

  public Continuations(CallCounters counters) {
    this.counters = counters;
  }

  /** Steps after which an operation stops; 0 where it never does. */
  public long every() {
    return every;
  }

  /**
   * Has every operation stop after so many steps.
   *
   * @param steps 0 for never
   */
  public void preemptEvery(long steps) {
    every = steps;
  }

  /** The steps of an operation that begins, or goes on, on behalf of a domain. */
  public Steps begin(Domain caller) {
    return new Steps(counters, caller.calls(), every);
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("continuations").put(every);
  }
}
