package io.hypercalld.api.machine;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.hypercall.Hypercall;
import io.hypercalld.core.hypercall.Outcome;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Hypercalls that were preempted and wait to go on. Confined to the machine thread.
 *
 * <p>Their progress is in the machine and in their arguments, so that a pending call is nothing but
 * a call that somebody will make.
 */
public final class PendingCalls implements Digestible {
  private final TreeMap<Long, Pending> pending = new TreeMap<>();
  private long numbered;

  /**
   * A call that goes on. Immutable.
   *
   * @param stopped with its progress among the arguments of its rest
   */
  public record Pending(long number, DomainId caller, Outcome.Preempted stopped) {
    /** The call that goes on. */
    public Hypercall rest() {
      return stopped.rest();
    }
  }

  /** Keeps a call and numbers it. */
  Pending add(DomainId caller, Outcome.Preempted stopped) {
    numbered++;
    return keep(new Pending(numbered, caller, stopped));
  }

  private Pending keep(Pending call) {
    pending.put(call.number, call);
    return call;
  }

  /** Keeps what is left of a call under its number. */
  void replace(Pending call, Outcome.Preempted stopped) {
    keep(new Pending(call.number, call.caller, stopped));
  }

  void remove(Pending call) {
    pending.remove(call.number);
  }

  /**
   * The call of a number.
   *
   * @throws Refusal ENOENT
   */
  public Pending get(long number) {
    Pending found = pending.get(number);
    if (found == null) {
      throw Refusal.of(Errno.ENOENT, "no call %d is pending", number);
    }
    return found;
  }

  /** All of them, the oldest first. */
  public List<Pending> all() {
    return List.copyOf(pending.values());
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("pending-calls").put(numbered).put(pending.size());
    for (Map.Entry<Long, Pending> entry : pending.entrySet()) {
      Pending call = entry.getValue();
      digest.put(call.number).put(call.caller.value()).put(call.stopped.toString());
    }
  }
}
