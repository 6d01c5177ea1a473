package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.domain.DomainTable;
import io.hypercalld.core.domain.Privilege;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.FrameRun;
import io.hypercalld.core.memory.FrameTable;
import io.hypercalld.core.memory.FrameType;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.p2m.SyncHook;

/**
 * The page tables of PV domains, as far as it matters that they are not to be written. Confined to
 * the machine thread.
 *
 * @see "xen/arch/x86/mm.c, do_mmuext_op"
 */
public final class PinCalls {
  private final DomainTable domains;
  private final FrameTable frames;

  public PinCalls(DomainTable domains, FrameTable frames) {
    this.domains = domains;
    this.frames = frames;
  }

  /** See {@link PinTable}. */
  public Outcome pin(DomainId caller, PinTable args) {
    Domain domain = target(caller, args.domid());
    long mfn = requireOwn(domain, args.mfn());
    boolean pinned =
        frames.typeReferences(mfn) == 0 && frames.takeTypeReference(mfn, FrameType.L1_PAGE_TABLE);
    if (!pinned) {
      throw Refusal.of(Errno.EINVAL, "frame %s is in use as %s", args.mfn(), frames.type(mfn));
    }
    domain.facets().losing(new FrameRun(mfn, 1), SyncHook.ZAP);
    return Outcome.done();
  }

  /** See {@link UnpinTable}. */
  public Outcome unpin(DomainId caller, UnpinTable args) {
    Domain domain = target(caller, args.domid());
    long mfn = requireOwn(domain, args.mfn());
    if (frames.typeReferences(mfn) == 0 || frames.type(mfn) != FrameType.L1_PAGE_TABLE) {
      throw Refusal.of(Errno.EINVAL, "frame %s is no pinned page table", args.mfn());
    }
    frames.putTypeReference(mfn);
    domain.facets().gained(new FrameRun(mfn, 1), SyncHook.PHYSMAP_ADD);
    return Outcome.done();
  }

  private Domain target(DomainId caller, DomainId id) {
    Domain asking = domains.caller(caller);
    Domain domain = domains.any(asking, id);
    Privilege.TARGET.demand(asking, domain);
    if (domain.type().isTranslated()) {
      throw Refusal.of(Errno.EINVAL, "%s is translated", domain.id());
    }
    return domain;
  }

  private long requireOwn(Domain domain, Mfn mfn) {
    if (!frames.contains(mfn.value()) || !domain.reservation().owns(mfn.value())) {
      throw Refusal.of(Errno.EINVAL, "frame %s is not %s's", mfn, domain.id());
    }
    return mfn.value();
  }
}
