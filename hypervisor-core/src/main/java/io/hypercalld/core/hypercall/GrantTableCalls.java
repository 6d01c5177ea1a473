package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.domain.DomainTable;
import io.hypercalld.core.domain.GrantStatus;
import io.hypercalld.core.domain.GrantTable;
import io.hypercalld.core.domain.Privilege;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.FrameTable;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.p2m.Gfn;
import java.util.List;
import java.util.Optional;

/**
 * The grant_table_op hypercalls about a domain's table of grants. Confined to the machine thread.
 *
 * @see "xen/common/grant_table.c, do_grant_table_op"
 */
public final class GrantTableCalls {
  private final DomainTable domains;
  private final FrameTable frames;

  GrantTableCalls(DomainTable domains, FrameTable frames) {
    this.domains = domains;
    this.frames = frames;
  }

  public Outcome setupTable(DomainId callerId, SetupGrantTable args) {
    Domain caller = domains.caller(callerId);
    GrantStatus status = reach(caller, args.dom());
    if (status != GrantStatus.OKAY) {
      return Outcome.returning(new SetupGrantTable.Frames(status.number(), List.of()));
    }
    Domain domain = domains.any(caller, args.dom());
    GrantTable table = domain.memory().grantTable();
    if (args.nrFrames() > table.maxFrames() || !grow(table, (int) args.nrFrames())) {
      return Outcome.returning(
          new SetupGrantTable.Frames(GrantStatus.GENERAL_ERROR.number(), List.of()));
    }
    return Outcome.returning(
        new SetupGrantTable.Frames(
            GrantStatus.OKAY.number(), places(domain, table.sharedFrames(), args.nrFrames())));
  }

  private static boolean grow(GrantTable table, int pages) {
    try {
      table.grow(pages);
      return true;
    } catch (Refusal refusal) {
      return false;
    }
  }

  private List<Gfn> places(Domain domain, List<Mfn> pages, long count) {
    return pages.stream().limit(count).map(page -> place(domain, page)).toList();
  }

  private Gfn place(Domain domain, Mfn page) {
    return new Gfn(domain.type().isTranslated() ? frames.m2p(page.value()) : page.value());
  }

  /** See {@link GetStatusFrames}. */
  public Outcome statusFrames(DomainId callerId, GetStatusFrames args) {
    Domain caller = domains.caller(callerId);
    GrantStatus status = reach(caller, args.dom());
    if (status != GrantStatus.OKAY) {
      return Outcome.returning(new GetStatusFrames.Frames(status.number(), List.of()));
    }
    Domain domain = domains.any(caller, args.dom());
    List<Mfn> pages = domain.memory().grantTable().statusFrames();
    if (args.nrFrames() > pages.size()) {
      return Outcome.returning(
          new GetStatusFrames.Frames(GrantStatus.GENERAL_ERROR.number(), List.of()));
    }
    return Outcome.returning(
        new GetStatusFrames.Frames(
            GrantStatus.OKAY.number(), places(domain, pages, args.nrFrames())));
  }

  public Outcome querySize(DomainId callerId, QueryGrantSize args) {
    Domain caller = domains.caller(callerId);
    GrantStatus status = reach(caller, args.dom());
    if (status != GrantStatus.OKAY) {
      return Outcome.returning(new QueryGrantSize.Size(status.number(), 0, 0));
    }
    GrantTable table = domains.any(caller, args.dom()).memory().grantTable();
    return Outcome.returning(
        new QueryGrantSize.Size(status.number(), table.frames(), table.maxFrames()));
  }

  private GrantStatus reach(Domain caller, DomainId id) {
    Optional<Domain> found = id.equals(DomainId.SELF) ? Optional.of(caller) : domains.find(id);
    // What is dying has given its table back.
    if (found.isEmpty() || found.get().isDying()) {
      return GrantStatus.BAD_DOMAIN;
    }
    return Privilege.TARGET.allows(caller, found.get())
        ? GrantStatus.OKAY
        : GrantStatus.PERMISSION_DENIED;
  }

  public Outcome setVersion(DomainId callerId, SetGrantVersion args) {
    GrantTable table = domains.caller(callerId).memory().grantTable();
    table.changeVersion(args.version());
    return Outcome.returning(new GetGrantVersion.Version(table.version()));
  }

  public Outcome getVersion(DomainId callerId, GetGrantVersion args) {
    Domain caller = domains.caller(callerId);
    Domain domain = domains.any(caller, args.dom());
    Privilege.TARGET.demand(caller, domain);
    return Outcome.returning(new GetGrantVersion.Version(domain.memory().grantTable().version()));
  }

  /** See {@link SwapGrantRef}. */
  public Outcome swapGrantRef(DomainId caller, SwapGrantRef args) {
    GrantTable table = domains.caller(caller).memory().grantTable();
    GrantStatus status = table.swap(new GrantTable.Swap(args.refA(), args.refB()));
    return Outcome.returning(new GrantResult(status.number()));
  }
}
