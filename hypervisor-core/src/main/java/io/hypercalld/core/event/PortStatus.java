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
  /** {@code EVTCHNSTAT_*}, in the order of their numbers. */
  public enum State {
    CLOSED,
    UNBOUND,
    INTERDOMAIN
  }
}
