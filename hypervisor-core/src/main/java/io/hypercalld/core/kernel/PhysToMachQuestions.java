package io.hypercalld.core.kernel;

import io.hypercalld.core.dma.AddressModes.PhysToMachCalls;
import io.hypercalld.core.hypercall.GuestCalls;
import io.hypercalld.core.hypercall.Outcome;
import io.hypercalld.core.hypercall.PhysToMach;
import io.hypercalld.core.p2m.Gfn;
import java.util.List;

/**
 * {@code phystomach} as a kernel asks it. Immutable.
 *
 * @param batch whether many pages are asked for at once
 */
record PhysToMachQuestions(GuestCalls xen, boolean batch) implements PhysToMachCalls {
  @Override
  public long ask(long gfn) {
    return frame(xen.require(new PhysToMach(new Gfn(gfn))));
  }

  @Override
  public List<Long> askAll(List<Long> gfns) {
    List<PhysToMach> calls = gfns.stream().map(gfn -> new PhysToMach(new Gfn(gfn))).toList();
    return xen.requireAll(calls).stream().map(PhysToMachQuestions::frame).toList();
  }

  private static long frame(Outcome.Success answer) {
    return ((PhysToMach.Found) answer.out()).mfn().value();
  }
}
