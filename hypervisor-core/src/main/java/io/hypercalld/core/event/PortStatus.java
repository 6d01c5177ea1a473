package io.hypercalld.core.event;

import io.hypercalld.core.domain.DomainId;
import java.util.Optional;

/**
 * What a port is. Immutable.
 *
 * @param remote the domain that may bind to it, or has
 * @param remotePort that domain's port
 * @param vcpu which vCPU is notified
 */
public record PortStatus(
    State state, Optional<DomainId> remote, Optional<Integer> remotePort, int vcpu) {
  /** {@code EVTCHNSTAT_*}. */
  public enum State {
    CLOSED(0),
    UNBOUND(1),
    INTERDOMAIN(2);

    private final int number;

    State(int number) {
      this.number = number;
    }

    /** The number that the call returns. */
    public int number() {
      return number;
    }
  }
}
