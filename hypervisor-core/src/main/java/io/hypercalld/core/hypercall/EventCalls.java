package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.domain.DomainTable;
import io.hypercalld.core.domain.Privilege;
import io.hypercalld.core.event.EventChannels;
import io.hypercalld.core.event.PortStatus;

/**
 * The {@code event_channel_op} hypercall. Confined to the machine thread.
 *
 * <p>Arguments and errnos are said where each call's record is.
 *
 * @see "xen/common/event_channel.c, do_event_channel_op"
 */
public final class EventCalls {
  private final DomainTable domains;

  public EventCalls(DomainTable domains) {
    this.domains = domains;
  }

  public Outcome allocUnbound(DomainId caller, AllocUnbound args) {
    Domain by = domains.caller(caller);
    Domain domain = domains.any(by, args.dom());
    EventChannels channels = channels(domain);
    channels.requireFree(0);
    Privilege.TARGET.demand(by, domain);
    DomainId remote = args.remoteDom().equals(DomainId.SELF) ? by.id() : args.remoteDom();
    return Outcome.returning(new EventPorts.Allocated(channels.allocate(remote)));
  }

  public Outcome bindInterdomain(DomainId caller, BindInterdomain args) {
    Domain by = domains.caller(caller);
    Domain remote = domains.any(by, args.remoteDom());
    return Outcome.returning(
        new EventPorts.Bound(channels(by).bind(channels(remote), args.remotePort())));
  }

  public Outcome send(DomainId caller, SendEvent args) {
    channels(domains.caller(caller)).send(args.port());
    return Outcome.done();
  }

  public Outcome close(DomainId caller, CloseEvent args) {
    channels(domains.caller(caller)).close(args.port());
    return Outcome.done();
  }

  public Outcome status(DomainId caller, EventStatus args) {
    Domain by = domains.caller(caller);
    Domain domain = domains.any(by, args.dom());
    channels(domain).requirePort(args.port());
    Privilege.TARGET.demand(by, domain);
    PortStatus status = channels(domain).status(args.port());
    return Outcome.returning(
        new EventPorts.Status(
            status.state().number(),
            status.vcpu(),
            status
                .remote()
                .filter(_ -> status.state() == PortStatus.State.UNBOUND)
                .map(EventPorts.Unbound::new),
            status
                .remotePort()
                .map(port -> new EventPorts.Interdomain(status.remote().orElseThrow(), port))));
  }

  private static EventChannels channels(Domain domain) {
    return domain.facet(EventChannels.class);
  }
}
