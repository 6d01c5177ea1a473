package io.hypercalld.ioreq.dispatch;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import java.util.Locale;

/**
 * What becomes of a domain whose request is not answered. Immutable.
 *
 * @param after nanoseconds of the machine's clock; 0 for never
 */
public record TimeoutPolicy(long after, Action action) implements Digestible {
  /** As Xen has it: vCPUs wait for ever. */
  public static final TimeoutPolicy NONE = new TimeoutPolicy(0, Action.WAIT);

  /** What is done. */
  public enum Action {
    /** Nothing. */
    WAIT,
    /** The domain is paused, for somebody to look at. */
    PAUSE,
    /** The domain is crashed. */
    CRASH;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** Whether a request of that age is overdue. */
  boolean isOverdue(long age) {
    return after > 0 && age >= after && action != Action.WAIT;
  }

  @Override
  public void digest(StateDigest digest) {
    digest.put(after).put(action.name());
  }
}
