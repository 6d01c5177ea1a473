package io.hypercalld.api.machine;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.hypercall.Outcome;
import io.hypercalld.core.p2m.P2mType;
import io.hypercalld.ioreq.hypercall.MapMemType;
import java.util.OptionalLong;

/** A claim's release that stops after each step, so that others come in between. */
final class PreemptedRelease {
  private final Machine machine;
  private final PageClaimModel model;
  private OptionalLong stopped = OptionalLong.empty();
  private P2mType type = P2mType.IOREQ_SERVER;

  PreemptedRelease(Machine machine, PageClaimModel model) {
    this.machine = machine;
    this.model = model;
  }

  boolean isStopped() {
    return stopped.isPresent();
  }

  /** Releases a type, one step. */
  void begin(P2mType released, MapMemType release) {
    type = released;
    machine.execute(new Preempt(1));
    went(machine.hypercalls().start(DomainId.DOM0, release));
  }

  /** Makes the next step of a release that stopped, if one did. */
  void goOn() {
    stopped.ifPresent(
        call -> {
          machine.execute(new Preempt(1));
          went(machine.hypercalls().resume(call));
        });
  }

  private void went(Hypercalls.Progress progress) {
    machine.execute(new Preempt(0));
    switch (progress) {
      case Hypercalls.Stopped(PendingCalls.Pending call) -> {
        stopped = OptionalLong.of(call.number());
        model.swept(type, ((MapMemType) call.rest()).opaque().value());
      }
      case Hypercalls.Ended(Outcome outcome) -> {
        assertThat(outcome).isEqualTo(Outcome.done());
        stopped = OptionalLong.empty();
        model.swept(type, PageClaimModel.ALL);
      }
    }
  }
}
