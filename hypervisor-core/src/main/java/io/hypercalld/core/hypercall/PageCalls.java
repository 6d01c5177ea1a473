package io.hypercalld.core.hypercall;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.domain.DomainTable;
import io.hypercalld.core.domain.PhysicalMap;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.FrameTable;
import io.hypercalld.core.memory.FrameUse;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mLookup;
import io.hypercalld.core.p2m.P2mTable;
import io.hypercalld.core.p2m.P2mType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The domctl hypercalls about single pages and the frames behind them. Confined to the machine
 * thread.
 *
 * <p>Arguments and errnos are said where each call's record is.
 *
 * @see "xen/arch/x86/domctl.c, arch_do_domctl"
 */
public final class PageCalls {
  private static final int MAX_PAGE_FRAMES = 1024;
  private static final Word PFINFO_NOTAB = new Word(0);
  private static final Word PFINFO_XTAB = new Word(0xf000_0000L);
  private static final Word PFINFO_BROKEN = new Word(0xd000_0000L);

  private final DomainTable domains;
  private final Targets targets;
  private final FrameTable frames;

  public PageCalls(DomainTable domains, FrameTable frames) {
    this.domains = domains;
    this.targets = new Targets(domains);
    this.frames = frames;
  }

  public Outcome getPageFrameTypes(DomainId caller, GetPageFrameTypes args) {
    Domain domain = targets.privileged(domains.caller(caller), args.domain());
    long count = args.num().map(Word::value).orElseGet(args.array()::count);
    if (Long.compareUnsigned(count, MAX_PAGE_FRAMES) > 0) {
      throw Refusal.of(Errno.E2BIG, "more than %d frames", MAX_PAGE_FRAMES);
    }
    if (args.array().count() < count) {
      throw Refusal.of(Errno.EFAULT, "the array is shorter than %d", count);
    }
    List<Word> types = new ArrayList<>();
    for (long i = 0; i < count; i++) {
      types.add(pageFrameType(domain, args.array().at(i)));
    }
    return Outcome.returning(new PageFrameTypes(types));
  }

  private Word pageFrameType(Domain domain, long number) {
    Optional<PhysicalMap> map = domain.physicalMap();
    if (map.isEmpty()) {
      boolean own = frames.contains(number) && domain.reservation().owns(number);
      return own ? PFINFO_NOTAB : PFINFO_XTAB;
    }
    P2mLookup found = map.get().obtain(new Gfn(number));
    if (found.type() == P2mType.RAM_BROKEN) {
      return PFINFO_BROKEN;
    }
    boolean page =
        P2mType.RAM.contains(found.type())
            && frames.contains(found.mfn().value())
            && frames.use(found.mfn().value()) != FrameUse.SPECIAL;
    return page ? PFINFO_NOTAB : PFINFO_XTAB;
  }

  public Outcome setBrokenPage(DomainId caller, SetBrokenPageP2m args) {
    Domain domain = targets.privileged(domains.caller(caller), args.domain());
    P2mTable p2m =
        domain.findP2m().orElseThrow(() -> Refusal.of(Errno.EINVAL, "%s has no P2M", domain.id()));
    P2mLookup found = p2m.lookup(args.pfn());
    if (!found.mfn().isValid() || !P2mType.RAM.contains(found.type())) {
      throw Refusal.of(
          Errno.EINVAL, "guest frame %s of %s is %s", args.pfn(), domain.id(), found.type());
    }
    p2m.changeType(args.pfn(), found.type(), P2mType.RAM_BROKEN);
    return Outcome.done();
  }

  public Outcome auditP2m(DomainId caller, AuditP2m args) {
    Domain domain = targets.other(domains.caller(caller), args.domain());
    P2mTable p2m =
        domain.findP2m().orElseThrow(() -> Refusal.of(Errno.EINVAL, "%s has no P2M", domain.id()));
    long orphans = 0;
    long bad = 0;
    int id = domain.id().value();
    long mfn = frames.nextOwned(0, Long.MAX_VALUE, id);
    while (mfn >= 0) {
      long next = frames.blockEnd(mfn);
      if (frames.use(mfn) == FrameUse.GUEST_RAM) {
        long gfn = frames.m2p(mfn);
        orphans += gfn < 0 ? next - mfn : 0;
        bad += gfn < 0 ? 0 : misplaced(p2m, mfn, next - mfn);
      }
      mfn = frames.nextOwned(next, Long.MAX_VALUE, id);
    }
    return Outcome.returning(new P2mAudit(orphans, bad, 0));
  }

  /** Frames of a block of like ones that are not mapped where they say. */
  private long misplaced(P2mTable p2m, long first, long count) {
    long bad = 0;
    long done = 0;
    while (done < count) {
      long gfn = frames.m2p(first + done);
      P2mLookup found = p2m.lookup(new Gfn(gfn));
      boolean right = found.storedMfn().value() == first + done;
      long leaf = 1L << found.order();
      bad += right ? 0 : 1;
      done += right ? leaf - (gfn & (leaf - 1)) : 1;
    }
    return bad;
  }
}
