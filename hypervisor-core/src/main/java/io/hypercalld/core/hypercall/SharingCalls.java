package io.hypercalld.core.hypercall;

import io.hypercalld.core.bits.BitField;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.domain.DomainTable;
import io.hypercalld.core.domain.MemorySharing;
import io.hypercalld.core.domain.MemorySharing.Page;
import io.hypercalld.core.domain.Privilege;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.p2m.Gfn;

/**
 * The operations on shared pages. Confined to the machine thread.
 *
 * @see "xen/arch/x86/mm/mem_sharing.c, mem_sharing_memop"
 */
public final class SharingCalls {
  private static final int NOMINATE_GFN = 0;
  private static final int NOMINATE_GREF = 1;
  private static final int SHARE = 2;
  private static final int DEBUG_GFN = 3;
  private static final int DEBUG_MFN = 4;
  private static final int DEBUG_GREF = 5;
  private static final int ADD_PHYSMAP = 6;
  private static final int AUDIT = 7;
  private static final int RANGE_SHARE = 8;

  /** Of a guest frame's number: it is the number of an entry of the grant table instead. */
  private static final BitField IS_GREF = BitField.bit("is_gref", 62);

  private final DomainTable domains;
  private final Continuations continuations;

  SharingCalls(DomainTable domains, Continuations continuations) {
    this.domains = domains;
    this.continuations = continuations;
  }

  public Outcome freedPages(DomainId caller, GetSharingFreedPages args) {
    domains.caller(caller);
    requireFirst(args.startExtent());
    return Outcome.count(domains.sharedFrames().saved());
  }

  public Outcome sharedPages(DomainId caller, GetSharingSharedPages args) {
    domains.caller(caller);
    requireFirst(args.startExtent());
    return Outcome.count(domains.sharedFrames().count());
  }

  private static void requireFirst(long startExtent) {
    if (startExtent != 0) {
      throw Refusal.of(Errno.EINVAL, "there is one extent: it cannot begin at %d", startExtent);
    }
  }

  public Outcome sharing(DomainId caller, SharingOp args) {
    requireFirst(args.startExtent());
    Domain by = domains.caller(caller);
    Domain domain = domains.liveRemote(by, args.domain());
    Privilege.DM_PRIV.demand(by, domain);
    if (!domain.type().isTranslated()) {
      throw Refusal.of(Errno.EOPNOTSUPP, "%s is PV", domain.id());
    }
    if (!domain.features().sharing().isEnabled()) {
      domain.features().sharing().enable();
    }
    if (args.op() == NOMINATE_GFN) {
      return Outcome.returning(new SharingHandle(domain.features().sharing().nominate(args.gfn())));
    }
    if (args.op() == NOMINATE_GREF) {
      Gfn granted = granted(domain, args.grantRef());
      return Outcome.returning(new SharingHandle(domain.features().sharing().nominate(granted)));
    }
    if (args.op() >= DEBUG_GFN && args.op() <= DEBUG_GREF) {
      return Outcome.count(domains.sharedFrames().sharersOf(debugged(domain, args)));
    }
    if (args.op() == AUDIT) {
      return Outcome.count(domains.sharedFrames().audit(domains).size());
    }
    return withClient(by, domain, args);
  }

  /** The guest frame that the domain grants by an entry of its table. */
  private static Gfn granted(Domain domain, long ref) {
    return domain.memory().grantTable().granted(ref);
  }

  /** A guest frame, or the one that the domain grants by an entry whose number is marked as one. */
  private static Gfn named(Domain domain, Gfn field) {
    return IS_GREF.isSet(field.value()) ? granted(domain, IS_GREF.clear(field.value())) : field;
  }

  private static Mfn debugged(Domain domain, SharingOp args) {
    if (args.op() == DEBUG_MFN) {
      return args.mfn();
    }
    Gfn gfn = args.op() == DEBUG_GFN ? args.gfn() : granted(domain, args.gref());
    return domain.p2m().lookup(gfn).mfn();
  }

  private Outcome withClient(Domain by, Domain domain, SharingOp args) {
    MemorySharing source = domain.features().sharing();
    if (args.op() == SHARE) {
      Domain client = client(by, args);
      Page page = new Page(named(domain, args.sourceGfn()), args.sourceHandle());
      Page target = new Page(named(client, args.clientGfn()), args.clientHandle());
      source.share(page, client.features().sharing(), target);
      return Outcome.done();
    }
    if (args.op() == ADD_PHYSMAP) {
      Domain client = client(by, args);
      if (IS_GREF.isSet(args.sourceGfn().value())) {
        throw Refusal.of(Errno.EINVAL, "what a grant names cannot be added");
      }
      Page page = new Page(args.sourceGfn(), args.sourceHandle());
      source.lend(page, client.features().sharing(), args.clientGfn());
      return Outcome.done();
    }
    if (args.op() == RANGE_SHARE) {
      requireRange(args);
      Domain client = client(by, args);
      requireReady(domain, args);
      requireReady(client, args);
      return shareRange(by, source, client.features().sharing(), args);
    }
    throw Refusal.of(Errno.ENOSYS, "operation %d is not simulated", args.op());
  }

  private Domain client(Domain by, SharingOp args) {
    Domain client = domains.liveRemote(by, args.clientDomain());
    Privilege.DM_PRIV.demand(by, client);
    if (!client.type().isTranslated() || !client.features().sharing().isEnabled()) {
      throw Refusal.of(Errno.EINVAL, "%s never asked for sharing", client.id());
    }
    return client;
  }

  private static void requireRange(SharingOp args) {
    Gfn next = args.opaque();
    boolean outside =
        Long.compareUnsigned(next.value(), args.firstGfn().value()) < 0
            || Long.compareUnsigned(next.value(), args.lastGfn().value()) > 0;
    if (args.pad().stream().anyMatch(word -> word != 0) || (next.value() != 0 && outside)) {
      throw Refusal.of(Errno.EINVAL, "padding is not 0, or the range does not hold %s", next);
    }
  }

  private static void requireReady(Domain domain, SharingOp args) {
    long highest = domain.p2m().maxMappedGfn().value();
    boolean beyond =
        Long.compareUnsigned(args.firstGfn().value(), highest) > 0
            || Long.compareUnsigned(args.lastGfn().value(), highest) > 0;
    if (beyond || !domain.run().isPausedByController()) {
      throw Refusal.of(
          Errno.EINVAL, "%s is not paused, or the range goes beyond its end", domain.id());
    }
  }

  /** Pages that cannot be shared are passed over. */
  private Outcome shareRange(
      Domain by, MemorySharing source, MemorySharing client, SharingOp args) {
    Steps steps = continuations.begin(by);
    long first = args.opaque().value() != 0 ? args.opaque().value() : args.firstGfn().value();
    for (long gfn = first; gfn <= args.lastGfn().value(); gfn++) {
      tryShare(source, client, new Gfn(gfn));
      if (steps.handled(1) && gfn < args.lastGfn().value()) {
        return Outcome.preempted(args.goingOnWith(new Gfn(gfn + 1)));
      }
    }
    steps.finish();
    return Outcome.done();
  }

  private static void tryShare(MemorySharing source, MemorySharing client, Gfn gfn) {
    try {
      Page from = new Page(gfn, source.nominate(gfn));
      Page to = new Page(gfn, client.nominate(gfn));
      source.share(from, client, to);
    } catch (Refusal refusal) {
      if (refusal.errno() == Errno.ENOMEM) {
        throw refusal;
      }
    }
  }
}
