package io.hypercalld.ioreq.hypercall;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.domain.DomainTable;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.hypercall.Outcome;
import io.hypercalld.core.hypercall.Targets;
import io.hypercalld.core.ranges.NumberRange;
import io.hypercalld.ioreq.hypercall.GetIoreqServerInfo.ServerPages;
import io.hypercalld.ioreq.server.BufferedMode;
import io.hypercalld.ioreq.server.IoServer;
import io.hypercalld.ioreq.server.IoServers;
import io.hypercalld.ioreq.server.RangeKind;
import java.util.Optional;

/**
 * The dm_op operations on the servers of a domain. Confined to the machine thread.
 *
 * <p>Arguments and errnos are said where each call's record is.
 *
 * @see "xen/common/ioreq.c, ioreq_server_dm_op"
 */
public final class IoServerCalls {
  private static final long NO_GFNS = 0x1;

  private final DomainTable domains;
  private final Targets targets;

  public IoServerCalls(DomainTable domains) {
    this.domains = domains;
    this.targets = new Targets(domains);
  }

  public Outcome create(DomainId caller, CreateIoreqServer args) {
    IoServers servers = servers(caller, args.domid());
    args.pad().forEach(IoServerCalls::requireZero);
    BufferedMode mode =
        BufferedMode.ofNumber(args.handleBufioreq())
            .orElseThrow(
                () -> Refusal.of(Errno.EINVAL, "handle_bufioreq is %d", args.handleBufioreq()));
    if ((args.flags() & ~CreateIoreqServer.EXT_DEST_ID) != 0) {
      throw Refusal.of(Errno.EINVAL, "unknown flags 0x%x", args.flags());
    }
    var traits = new IoServer.Traits(mode, args.flags() == CreateIoreqServer.EXT_DEST_ID);
    return Outcome.returning(new CreateIoreqServer.ServerId(servers.create(caller, traits).id()));
  }

  public Outcome info(DomainId caller, GetIoreqServerInfo args) {
    IoServers servers = servers(caller, args.domid());
    if ((args.flags() & ~NO_GFNS) != 0) {
      throw Refusal.of(Errno.EINVAL, "unknown flags 0x%x", args.flags());
    }
    IoServer server = servers.asEmulator(caller, args.id());
    if (args.flags() == NO_GFNS) {
      return Outcome.returning(
          new ServerPages(server.ringPort(), Optional.empty(), Optional.empty()));
    }
    servers.borrowPages(server);
    return Outcome.returning(
        new ServerPages(server.ringPort(), server.pages().slotsGfn(), server.pages().ringGfn()));
  }

  public Outcome map(DomainId caller, MapIoRange args) {
    IoServers servers = servers(caller, args.domid());
    requireZero(args.pad());
    NumberRange range = range(args.start(), args.end());
    IoServer server = servers.asEmulator(caller, args.id());
    server.ranges().map(kind(args.type()), range);
    return Outcome.done();
  }

  public Outcome unmap(DomainId caller, UnmapIoRange args) {
    IoServers servers = servers(caller, args.domid());
    requireZero(args.pad());
    NumberRange range = range(args.start(), args.end());
    IoServer server = servers.asEmulator(caller, args.id());
    server.ranges().unmap(kind(args.type()), range);
    return Outcome.done();
  }

  public Outcome setState(DomainId caller, SetIoreqServerState args) {
    IoServers servers = servers(caller, args.domid());
    requireZero(args.pad());
    servers.setEnabled(servers.asEmulator(caller, args.id()), args.enabled() != 0);
    return Outcome.done();
  }

  public Outcome destroy(DomainId caller, DestroyIoreqServer args) {
    IoServers servers = servers(caller, args.domid());
    requireZero(args.pad());
    servers.destroy(servers.asEmulator(caller, args.id()));
    return Outcome.done();
  }

  private IoServers servers(DomainId caller, DomainId target) {
    Domain domain = targets.modelled(domains.caller(caller), target);
    return domain.facet(IoServers.class);
  }

  private static void requireZero(long pad) {
    if (pad != 0) {
      throw Refusal.of(Errno.EINVAL, "pad is %d", pad);
    }
  }

  private static NumberRange range(Word start, Word end) {
    if (Long.compareUnsigned(start.value(), end.value()) > 0) {
      throw Refusal.of(Errno.EINVAL, "the range from %s to %s ends before it begins", start, end);
    }
    return new NumberRange(start.value(), end.value());
  }

  private static RangeKind kind(long type) {
    return RangeKind.ofNumber(type)
        .orElseThrow(() -> Refusal.of(Errno.EINVAL, "there are no ranges of type %d", type));
  }
}
