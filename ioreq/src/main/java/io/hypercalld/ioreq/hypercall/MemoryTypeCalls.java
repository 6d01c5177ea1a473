package io.hypercalld.ioreq.hypercall;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.domain.DomainTable;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.hypercall.ClaimableType;
import io.hypercalld.core.hypercall.Continuations;
import io.hypercalld.core.hypercall.Outcome;
import io.hypercalld.core.hypercall.Steps;
import io.hypercalld.core.hypercall.Targets;
import io.hypercalld.core.p2m.P2mType;
import io.hypercalld.ioreq.server.ClaimPolicies.ClaimAccess;
import io.hypercalld.ioreq.server.IoServer;
import io.hypercalld.ioreq.server.IoServers;
import io.hypercalld.ioreq.server.MemoryTypeClaim;
import java.util.Optional;

/**
 * The dm_op operation by which a server claims a page type. Confined to the machine thread.
 *
 * @see "xen/arch/x86/hvm/dm.c, XEN_DMOP_map_mem_type_to_ioreq_server"
 */
public final class MemoryTypeCalls {
  private static final long READ = 0x1;
  private static final long WRITE = 0x2;

  private final DomainTable domains;
  private final Targets targets;
  private final Continuations continuations;

  public MemoryTypeCalls(DomainTable domains, Continuations continuations) {
    this.domains = domains;
    this.targets = new Targets(domains);
    this.continuations = continuations;
  }

  public Outcome map(DomainId caller, MapMemType args) {
    Domain by = domains.caller(caller);
    Domain domain = targets.modelled(by, args.domid());
    if (!domain.settings().hasHap()) {
      throw Refusal.of(Errno.EOPNOTSUPP, "%s has no hardware-assisted paging", domain.id());
    }
    IoServers servers = domain.facet(IoServers.class);
    Optional<P2mType> type = ClaimableType.ofNumber(domain, args.type());
    if (args.opaque().value() == 0) {
      change(servers, caller, args, type);
    }
    return args.flags() == 0 && type.isPresent()
        ? sweep(by, servers.claims().of(type.get()), args)
        : Outcome.done();
  }

  private static void change(
      IoServers servers, DomainId caller, MapMemType args, Optional<P2mType> type) {
    MemoryTypeClaim claim =
        type.map(servers.claims()::of)
            .orElseThrow(
                () -> Refusal.of(Errno.EINVAL, "no server can have the type %d", args.type()));
    long known = servers.claims().policies().access() == ClaimAccess.ALL ? READ | WRITE : WRITE;
    if ((args.flags() & ~known) != 0 || args.flags() == READ) {
      throw Refusal.of(Errno.EINVAL, "a claim is not of accesses 0x%x", args.flags());
    }
    IoServer server = servers.asEmulator(caller, args.id());
    if (args.flags() == 0) {
      claim.release(server);
    } else {
      claim.claim(server);
    }
  }

  private Outcome sweep(Domain by, MemoryTypeClaim claim, MapMemType args) {
    Steps steps = continuations.begin(by);
    long next = claim.sweep(args.opaque().value());
    while (next >= 0) {
      // Xen looks after each sweep, however few pages there were.
      if (steps.handled(MemoryTypeClaim.SWEEP) || steps.next()) {
        return Outcome.preempted(
            new MapMemType(args.domid(), args.id(), args.type(), args.flags(), new Word(next)));
      }
      next = claim.sweep(next);
    }
    steps.finish();
    return Outcome.done();
  }
}
