package io.hypercalld.core.event;

import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainFacet;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.event.EventPort.Interdomain;
import io.hypercalld.core.event.EventPort.Unbound;
import io.hypercalld.core.memory.MachineMemory;
import java.util.Optional;
import java.util.TreeMap;

/**
 * A domain's event channels, each behind a port. Confined to the machine thread.
 *
 * <p>Port 0 is nobody's. Numbers come in buckets: one beyond those that were ever allocated is no
 * port at all, one that is merely not in use is closed.
 *
 * @see "xen/common/event_channel.c"
 */
public final class EventChannels implements DomainFacet {
  /** {@code EVTCHNS_PER_BUCKET}. */
  private static final int BUCKET = 64;

  private final TreeMap<Integer, EventPort> ports = new TreeMap<>();
  private final Domain domain;
  private final SharedEventBits bits;
  private int valid = BUCKET;

  public EventChannels(Domain domain, MachineMemory memory) {
    this.domain = domain;
    this.bits = new SharedEventBits(memory, domain.memory().sharedInfo().maddr());
  }

  /**
   * A port of the guest's that another domain may bind to.
   *
   * @throws Refusal EINVAL dying; ENOSPC no port is free
   */
  public int allocate(DomainId remote) {
    return open(new EventPort(0, Optional.empty(), new Unbound(remote)));
  }

  /**
   * A port of the hypervisor's in this domain that another domain may bind to; the guest itself can
   * neither send through it nor close it.
   *
   * @param vcpu for whom the hypervisor listens
   * @throws Refusal as {@link #allocate}
   */
  public int allocateForXen(int vcpu, DomainId remote, EventConsumer consumer) {
    return open(new EventPort(vcpu, Optional.of(consumer), new Unbound(remote)));
  }

  private int open(EventPort opened) {
    int port = requireFree(0);
    valid = Math.max(valid, (port / BUCKET + 1) * BUCKET);
    ports.put(port, opened);
    return port;
  }

  /**
   * The lowest free port of as many as are to be free.
   *
   * @param more how many others are to be free
   * @throws Refusal EINVAL dying; ENOSPC
   */
  public int requireFree(int more) {
    if (domain.isDying()) {
      throw Refusal.of(Errno.EINVAL, "%s is dying", domain.id());
    }
    long last = Math.min(domain.settings().maxEvtchnPort(), SharedEventBits.PORTS - 1);
    if (last - ports.size() < 1 + more) {
      throw Refusal.of(Errno.ENOSPC, "%s has no free port up to %d", domain.id(), last);
    }
    int port = 1;
    while (ports.containsKey(port)) {
      port++;
    }
    return port;
  }

  /**
   * Connects a port of this domain's with one that waits for it.
   *
   * @return the new port, on which an event is pending, as one may have been lost before
   * @throws Refusal as {@link #allocate}; EINVAL no such port, or it does not wait for this domain
   */
  public int bind(EventChannels remote, long remotePort) {
    requireFree(remote == this ? 1 : 0);
    EventPort other =
        remote
            .find(remotePort)
            .filter(port -> port.connection().equals(new Unbound(domain.id())))
            .orElseThrow(
                () ->
                    Refusal.of(
                        Errno.EINVAL,
                        "port %d of %s does not wait for %s",
                        remotePort,
                        remote.domain.id(),
                        domain.id()));
    int theirs = (int) remotePort;
    int port = open(new EventPort(0, Optional.empty(), new Interdomain(remote.domain, theirs)));
    remote.ports.put(theirs, other.connected(new Interdomain(domain, port)));
    bits.setPending(port, 0);
    return port;
  }

  /**
   * Closes a port of the guest's; the one that it was connected with waits again.
   *
   * @throws Refusal EINVAL not in use, or the hypervisor's
   */
  public void close(long port) {
    requireGuests(port);
    free((int) port);
  }

  /** Closes a port, whosever it is; no effect where it is closed. */
  public void free(int port) {
    EventPort closed = ports.remove(port);
    if (closed == null) {
      return;
    }
    if (closed.connection() instanceof Interdomain(Domain remote, int theirs)) {
      TreeMap<Integer, EventPort> others = of(remote).ports;
      others.computeIfPresent(theirs, (_, other) -> other.connected(new Unbound(domain.id())));
    }
    bits.clearPending(port);
  }

  /**
   * Sends an event from a port of the guest's; it is lost where nobody is at the other end.
   *
   * @throws Refusal EINVAL not in use, or the hypervisor's
   */
  public void send(long port) {
    deliver(requireGuests(port));
  }

  @Override
  public void suspended(long port) {
    find(port).filter(found -> !found.isXens()).ifPresent(EventChannels::deliver);
  }

  /** Sends an event from a port of the hypervisor's. */
  public void notifyRemote(int port) {
    find(port).ifPresent(EventChannels::deliver);
  }

  private static void deliver(EventPort from) {
    if (from.connection() instanceof Interdomain(Domain remote, int port)) {
      of(remote).receive(port);
    }
  }

  private void receive(int port) {
    find(port)
        .ifPresent(
            to ->
                to.consumer()
                    .ifPresentOrElse(
                        EventConsumer::notified, () -> bits.setPending(port, to.vcpu())));
  }

  private EventPort requireGuests(long port) {
    return find(port)
        .filter(found -> !found.isXens())
        .orElseThrow(
            () -> Refusal.of(Errno.EINVAL, "port %d of %s is not in use by it", port, domain.id()));
  }

  /**
   * Refuses a number that was never any port's.
   *
   * @throws Refusal EINVAL
   */
  public void requirePort(long port) {
    if (port < 0 || port >= valid) {
      throw Refusal.of(Errno.EINVAL, "%s has no port %d", domain.id(), port);
    }
  }

  /**
   * What a port is.
   *
   * @throws Refusal EINVAL no such port; EACCES the hypervisor's
   */
  public PortStatus status(long port) {
    requirePort(port);
    EventPort found = ports.get((int) port);
    if (found == null) {
      return new PortStatus(PortStatus.State.CLOSED, Optional.empty(), Optional.empty(), 0);
    }
    if (found.isXens()) {
      throw Refusal.of(Errno.EACCES, "port %d of %s is the hypervisor's", port, domain.id());
    }
    return switch (found.connection()) {
      case Unbound(DomainId remote) ->
          new PortStatus(
              PortStatus.State.UNBOUND, Optional.of(remote), Optional.empty(), found.vcpu());
      case Interdomain(Domain remote, int theirs) ->
          new PortStatus(
              PortStatus.State.INTERDOMAIN,
              Optional.of(remote.id()),
              Optional.of(theirs),
              found.vcpu());
    };
  }

  /** Whether a port's event is pending. */
  public boolean isPending(int port) {
    return bits.isPending(port);
  }

  private Optional<EventPort> find(long port) {
    return port < 0 || port >= valid
        ? Optional.empty()
        : Optional.ofNullable(ports.get((int) port));
  }

  private static EventChannels of(Domain domain) {
    return domain.facet(EventChannels.class);
  }

  /** Closes as many ports as Xen does before it looks whether others want to run. */
  @Override
  public boolean relinquish() {
    for (int closed = 0; closed < BUCKET && !ports.isEmpty(); closed++) {
      free(ports.firstKey());
    }
    return ports.isEmpty();
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("event-channels").put(valid).put(ports.size());
    ports.forEach((port, channel) -> digest.put(port).put(channel));
  }
}
