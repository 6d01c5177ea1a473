package io.hypercalld.iommu.virtual;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.interrupt.DomainInterrupts;
import io.hypercalld.iommu.unit.MessageSink;
import io.hypercalld.iommu.vtd.InterruptMessage;
import java.util.List;
import java.util.Optional;

/**
 * Brings a virtual unit's messages to the guest's local APICs. Confined to the machine thread.
 *
 * @see "spec/documents.md S1-D11"
 */
final class GuestMessages implements MessageSink, Digestible {
  private final Domain domain;
  private List<Integer> taken = List.of();
  private Optional<Refusal> refused = Optional.empty();
  private long delivered;
  private long lost;

  GuestMessages(Domain domain) {
    this.domain = domain;
  }

  @Override
  public void deliver(InterruptMessage message) {
    taken = List.of();
    refused = Optional.empty();
    try {
      taken =
          message
              .interrupt()
              .map(interrupt -> domain.facet(DomainInterrupts.class).inject(interrupt))
              .orElse(List.of());
    } catch (Refusal refusal) {
      refused = Optional.of(refusal);
    }
    if (taken.isEmpty()) {
      lost++;
    } else {
      delivered++;
    }
  }

  /** The vCPUs that took the last message. */
  List<Integer> taken() {
    return taken;
  }

  /** Why nobody could take the last message. */
  Optional<Refusal> refused() {
    return refused;
  }

  /** Messages that some vCPU took. */
  long delivered() {
    return delivered;
  }

  /** Messages that no vCPU took. */
  long lost() {
    return lost;
  }

  @Override
  public void digest(StateDigest digest) {
    digest.put(delivered).put(lost);
  }
}
