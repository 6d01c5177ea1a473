package io.hypercalld.core.time;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import java.util.ArrayList;
import java.util.List;

/**
 * The machine's clock: it starts at 0 and stands still between commands that advance it. Confined
 * to the machine thread.
 */
public final class VirtualClock implements Digestible {
  private final List<Runnable> listeners = new ArrayList<>();
  private long now;

  /** Nanoseconds since the machine started. */
  public long now() {
    return now;
  }

  /** Has somebody told whenever time has passed. */
  public void onAdvance(Runnable listener) {
    listeners.add(listener);
  }

  /**
   * Lets time pass.
   *
   * @param nanoseconds how much
   * @throws Refusal EINVAL backwards, or beyond what 64 bits count
   */
  public void advance(long nanoseconds) {
    if (nanoseconds < 0 || now + nanoseconds < now) {
      throw Refusal.of(Errno.EINVAL, "the clock cannot be advanced by %d ns", nanoseconds);
    }
    now += nanoseconds;
    listeners.forEach(Runnable::run);
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("clock").put(now);
  }
}
