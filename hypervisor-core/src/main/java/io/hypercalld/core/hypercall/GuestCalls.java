package io.hypercalld.core.hypercall;

import io.hypercalld.core.errno.Refusal;

/** The way into the hypervisor of one domain's kernel. */
@FunctionalInterface
public interface GuestCalls {
  /** Makes a hypercall, however many steps it takes. */
  Outcome call(Hypercall arguments);

  /**
   * Makes a hypercall that is not to be refused.
   *
   * @throws Refusal as the hypercall was
   */
  default Outcome.Success require(Hypercall arguments) {
    return switch (call(arguments)) {
      case Outcome.Success success -> success;
      case Outcome.Refused refused -> throw Refusal.of(refused.errno(), "%s", refused.detail());
      case Outcome.Preempted _ -> throw new IllegalStateException("a call was left half done");
    };
  }
}
