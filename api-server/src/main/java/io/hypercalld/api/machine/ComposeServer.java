package io.hypercalld.api.machine;

import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.ranges.NumberRange;
import io.hypercalld.core.transaction.Transaction;
import io.hypercalld.ioreq.server.BufferedMode;
import io.hypercalld.ioreq.server.IoServer;
import io.hypercalld.ioreq.server.IoServers;
import io.hypercalld.ioreq.server.RangeKind;
import java.util.List;

/**
 * An ioreq server of dom0's as an emulator makes one: created, its pages made, its ranges mapped,
 * and enabled, or not at all.
 */
public record ComposeServer(
    DomainId domain, IoServer.Traits traits, List<Range> ranges, boolean enabled)
    implements MachineCommand<IoServer> {
  /** One that knows destinations of 8 bits only. */
  public ComposeServer(DomainId domain, BufferedMode mode, List<Range> ranges, boolean enabled) {
    this(domain, new IoServer.Traits(mode, false), ranges, enabled);
  }

  public ComposeServer {
    ranges = List.copyOf(ranges);
  }

  /** What it is to answer for. */
  public record Range(RangeKind kind, NumberRange range) {}

  @Override
  public IoServer execute(Machine machine) {
    Domain target = machine.hypervisor().domains().byId(domain);
    IoServers servers =
        target
            .findFacet(IoServers.class)
            .orElseThrow(() -> Refusal.of(Errno.EINVAL, "%s is PV", target.id()));
    if (target.id().equals(DomainId.DOM0)) {
      throw Refusal.of(Errno.EPERM, "dom0 is not its own device model");
    }
    return Transaction.run(steps -> build(servers, steps));
  }

  private IoServer build(IoServers servers, Transaction steps) {
    IoServer server = servers.create(DomainId.DOM0, traits);
    steps.onFailure(() -> servers.destroy(server));
    long first = traits.mode() == BufferedMode.OFF ? 1 : 0;
    for (long page = first; page < server.pages().count(); page++) {
      servers.makePage(server, page);
    }
    ranges.forEach(range -> server.ranges().map(range.kind, range.range));
    servers.setEnabled(server, enabled);
    return server;
  }
}
