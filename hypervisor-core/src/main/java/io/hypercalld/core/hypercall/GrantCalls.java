package io.hypercalld.core.hypercall;

import io.hypercalld.core.bits.BitField;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.domain.DomainTable;
import io.hypercalld.core.domain.GrantMapping;
import io.hypercalld.core.domain.GrantMappings;
import io.hypercalld.core.domain.GrantStatus;
import io.hypercalld.core.domain.GrantTable;
import io.hypercalld.core.domain.Privilege;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.FrameTable;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.Gfn;
import java.util.List;
import java.util.Optional;

/**
 * The grant_table_op hypercalls. Confined to the machine thread.
 *
 * @see "xen/common/grant_table.c, do_grant_table_op"
 */
public final class GrantCalls {
  private static final BitField DEVICE_MAP = BitField.bit("device_map", 0);
  private static final BitField HOST_MAP = BitField.bit("host_map", 1);
  private static final BitField READONLY = BitField.bit("readonly", 2);

  private final DomainTable domains;
  private final FrameTable frames;

  public GrantCalls(DomainTable domains, FrameTable frames) {
    this.domains = domains;
    this.frames = frames;
  }

  public Outcome mapGrantRef(DomainId callerId, MapGrantRef args) {
    Domain caller = domains.caller(callerId);
    GrantMappings.Mapped mapped = map(caller, args);
    boolean okay = mapped.status() == GrantStatus.OKAY;
    return Outcome.returning(
        new MapGrantRef.Mapped(
            mapped.status().number(),
            okay ? Optional.of((long) mapped.handle()) : Optional.empty(),
            okay ? Optional.of(new Word(mapped.mfn().maddr())) : Optional.empty()));
  }

  private GrantMappings.Mapped map(Domain caller, MapGrantRef args) {
    if (!DEVICE_MAP.isSet(args.flags()) && !HOST_MAP.isSet(args.flags())) {
      return GrantMappings.Mapped.not(GrantStatus.BAD_GNTREF);
    }
    if (!caller.type().isTranslated() || READONLY.clear(args.flags()) != HOST_MAP.mask()) {
      return GrantMappings.Mapped.not(GrantStatus.GENERAL_ERROR);
    }
    Optional<Domain> granter = domains.find(args.dom());
    if (granter.isEmpty()) {
      return GrantMappings.Mapped.not(GrantStatus.BAD_DOMAIN);
    }
    boolean readonly = READONLY.isSet(args.flags());
    return caller
        .memory()
        .grantMappings()
        .map(new GrantMapping(granter.get(), args.ref(), readonly, gfn(args.hostAddr())));
  }

  private static Gfn gfn(Word address) {
    return new Gfn(address.value() >>> PageSize.SHIFT_4K);
  }

  public Outcome unmapGrantRef(DomainId callerId, UnmapGrantRef args) {
    GrantMappings mappings = domains.caller(callerId).memory().grantMappings();
    GrantStatus status;
    if (args.hostAddr().value() == 0) {
      status = mappings.has(args.handle()) ? GrantStatus.OKAY : GrantStatus.BAD_HANDLE;
    } else {
      status = mappings.unmap(args.handle(), gfn(args.hostAddr()));
    }
    return Outcome.returning(new GrantResult(status.number()));
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
            GrantStatus.OKAY.number(),
            table.sharedFrames().stream()
                .limit(args.nrFrames())
                .map(page -> place(domain, page))
                .toList()));
  }

  private static boolean grow(GrantTable table, int pages) {
    try {
      table.grow(pages);
      return true;
    } catch (Refusal refusal) {
      return false;
    }
  }

  private Gfn place(Domain domain, Mfn page) {
    return new Gfn(domain.type().isTranslated() ? frames.m2p(page.value()) : page.value());
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
}
