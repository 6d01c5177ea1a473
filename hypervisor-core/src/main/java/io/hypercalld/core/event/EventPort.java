package io.hypercalld.core.event;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import java.util.Optional;

/**
 * One port of a domain's that is in use. Immutable.
 *
 * @param vcpu which of the domain's vCPUs is notified
 * @param consumer the hypervisor, where the port is its own and not the guest's
 */
record EventPort(int vcpu, Optional<EventConsumer> consumer, Connection connection)
    implements Digestible {
  /** What is at the other end. */
  sealed interface Connection {}

  /** Nothing yet: the domain may bind to it. */
  record Unbound(DomainId remote) implements Connection {}

  /** A port of another domain's, or of the same. */
  record Interdomain(Domain remote, int port) implements Connection {}

  EventPort connected(Connection other) {
    return new EventPort(vcpu, consumer, other);
  }

  boolean isXens() {
    return consumer.isPresent();
  }

  @Override
  public void digest(StateDigest digest) {
    digest.put(vcpu).put(isXens());
    switch (connection) {
      case Unbound(DomainId remote) -> digest.put(remote.value()).put(-1);
      case Interdomain(Domain remote, int port) -> digest.put(remote.id().value()).put(port);
    }
  }
}
