package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.DomainId;
import java.util.Optional;

/**
 * What the calls on event channels return. Never instantiated.
 *
 * @see "xen/include/public/event_channel.h"
 */
public final class EventPorts {
  private EventPorts() {}

  /** What {@link AllocUnbound} returns. */
  public record Allocated(int port) {}

  /** What {@link BindInterdomain} returns. */
  public record Bound(int localPort) {}

  /**
   * What {@link EventStatus} returns.
   *
   * @param status closed 0, unbound 1, interdomain 2
   */
  public record Status(
      int status, int vcpu, Optional<Unbound> unbound, Optional<Interdomain> interdomain) {}

  /** Who may bind. */
  public record Unbound(DomainId dom) {}

  /** What is at the other end. */
  public record Interdomain(DomainId dom, int port) {}
}
