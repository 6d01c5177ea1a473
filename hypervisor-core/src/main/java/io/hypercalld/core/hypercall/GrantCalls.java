package io.hypercalld.core.hypercall;

import io.hypercalld.core.bits.BitField;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.dma.DmaMode;
import io.hypercalld.core.dma.DomainDma;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.domain.DomainTable;
import io.hypercalld.core.domain.GrantCopy;
import io.hypercalld.core.domain.GrantMapping;
import io.hypercalld.core.domain.GrantMappings;
import io.hypercalld.core.domain.GrantStatus;
import io.hypercalld.core.domain.GrantTransfer;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.FrameAllocator;
import io.hypercalld.core.memory.FrameTable;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.Gfn;
import java.util.Optional;

/**
 * The grant_table_op hypercalls that use grants. Confined to the machine thread.
 *
 * @see "xen/common/grant_table.c, do_grant_table_op"
 */
public final class GrantCalls {
  private static final BitField DEVICE_MAP = BitField.bit("device_map", 0);
  private static final BitField HOST_MAP = BitField.bit("host_map", 1);
  private static final BitField READONLY = BitField.bit("readonly", 2);
  private static final BitField SOURCE_GREF = BitField.bit("source_gref", 0);
  private static final BitField DEST_GREF = BitField.bit("dest_gref", 1);
  private static final BitField CLEAN = BitField.bit("clean", 0);
  private static final BitField INVALIDATE = BitField.bit("inval", 1);
  private static final BitField SOURCE_IS_GREF = BitField.bit("source_gref", 31);

  private final DomainTable domains;
  private final FrameTable frames;
  private final GrantTableCalls tables;
  private final GrantCopy copies;
  private final GrantTransfer transfers;

  public GrantCalls(DomainTable domains, FrameAllocator allocator) {
    this.domains = domains;
    this.frames = allocator.frames();
    this.tables = new GrantTableCalls(domains, frames);
    this.copies = new GrantCopy(domains, allocator.memory(), frames);
    this.transfers = new GrantTransfer(domains, frames);
  }

  /** The calls about the tables themselves. */
  public GrantTableCalls tables() {
    return tables;
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

  /** See {@link UnmapAndReplace}. */
  public Outcome unmapAndReplace(DomainId caller, UnmapAndReplace args) {
    if (args.hostAddr().value() != 0
        && args.newAddr().value() != 0
        && domains.caller(caller).memory().grantMappings().has(args.handle())) {
      return Outcome.returning(new GrantResult(GrantStatus.GENERAL_ERROR.number()));
    }
    return unmapGrantRef(caller, new UnmapGrantRef(args.hostAddr(), new Word(0), args.handle()));
  }

  /** See {@link CopyGrant}. */
  public Outcome copyGrant(DomainId caller, CopyGrant args) {
    GrantStatus status =
        copies.copy(
            domains.caller(caller),
            args.source().named(SOURCE_GREF.isSet(args.flags())),
            args.dest().named(DEST_GREF.isSet(args.flags())),
            args.len());
    return Outcome.returning(new GrantResult(status.number()));
  }

  /** See {@link TransferGrant}. */
  public Outcome transferGrant(DomainId caller, TransferGrant args) {
    var offer = new GrantTransfer.Offer(args.mfn().value(), args.domid(), args.ref());
    Domain giver = domains.caller(caller);
    // Only a kernel that knows frames can give one away and get on without it.
    boolean stealable = giver.facet(DomainDma.class).mode() == DmaMode.P2M;
    GrantStatus status = transfers.transfer(giver, offer, stealable);
    return Outcome.returning(new GrantResult(status.number()));
  }

  /** See {@link CacheFlush}. */
  public Outcome cacheFlush(DomainId callerId, CacheFlush args) {
    Domain caller = domains.caller(callerId);
    if (args.offset() >= PageSize.BYTES_4K || args.offset() + args.length() > PageSize.BYTES_4K) {
      throw Refusal.of(
          Errno.EINVAL, "%d bytes at %d are not in a page", args.length(), args.offset());
    }
    if (args.length() == 0 || args.op() == 0) {
      return Outcome.done();
    }
    if (SOURCE_IS_GREF.isSet(args.op())) {
      throw Refusal.of(Errno.EOPNOTSUPP, "a cache is not flushed by grant");
    }
    if (INVALIDATE.clear(CLEAN.clear(args.op())) != 0) {
      throw Refusal.of(Errno.EINVAL, "0x%x is no cache operation", args.op());
    }
    requireReach(caller, new Mfn(args.devBusAddr().value() >>> PageSize.SHIFT_4K));
    if (!CLEAN.isSet(args.op())) {
      throw Refusal.of(Errno.EOPNOTSUPP, "no cache line is dropped that is not written back");
    }
    return Outcome.done();
  }

  private void requireReach(Domain caller, Mfn mfn) {
    if (!frames.contains(mfn.value())) {
      throw Refusal.of(Errno.EINVAL, "there is no frame %s", mfn);
    }
    int owner = frames.owner(mfn.value());
    if (domains.find(new DomainId(Math.max(0, owner))).isEmpty() || owner < 0) {
      throw Refusal.of(Errno.EPERM, "frame %s is no domain's", mfn);
    }
    if (owner != caller.id().value() && !caller.memory().grantMappings().maps(mfn)) {
      throw Refusal.of(Errno.EINVAL, "%s has not mapped frame %s", caller.id(), mfn);
    }
  }
}
