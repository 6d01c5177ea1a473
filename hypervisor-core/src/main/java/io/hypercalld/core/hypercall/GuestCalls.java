package io.hypercalld.core.hypercall;

import io.hypercalld.core.errno.Refusal;
import java.util.List;

/** The way into the hypervisor of one domain's kernel. */
public interface GuestCalls {
  /** Makes a hypercall, however many steps it takes. */
  Outcome call(Hypercall arguments);

  /** {@code multicall}: makes hypercalls in order, all of them, leaving the guest once. */
  List<Outcome> callAll(List<? extends Hypercall> calls);

  /**
   * Makes a hypercall that is not to be refused.
   *
   * @throws Refusal as the hypercall was
   */
  default Outcome.Success require(Hypercall arguments) {
    return required(call(arguments));
  }

  /**
   * Makes hypercalls at once that are not to be refused.
   *
   * @throws Refusal as the first that was
   */
  default List<Outcome.Success> requireAll(List<? extends Hypercall> calls) {
    return callAll(calls).stream().map(GuestCalls::required).toList();
  }

  private static Outcome.Success required(Outcome outcome) {
    return switch (outcome) {
      case Outcome.Success success -> success;
      case Outcome.Refused refused -> throw Refusal.of(refused.errno(), "%s", refused.detail());
      case Outcome.Preempted _ -> throw new IllegalStateException("a call was left half done");
    };
  }
}
