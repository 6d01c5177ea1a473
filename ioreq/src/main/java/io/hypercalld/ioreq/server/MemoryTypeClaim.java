package io.hypercalld.ioreq.server;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.IoreqRule;
import io.hypercalld.core.p2m.P2mLookup;
import io.hypercalld.core.p2m.P2mTable;
import io.hypercalld.core.p2m.P2mType;
import java.util.Optional;

/**
 * Which server the pages of one type of {@link P2mType#IOREQ} belong to. Confined to the machine
 * thread.
 *
 * @see "xen/arch/x86/mm/p2m.c, p2m_set_ioreq_server; xen/arch/x86/hvm/ioreq.c,
 *     arch_ioreq_server_map_mem_type"
 */
public final class MemoryTypeClaim implements Digestible {
  /** Guest frames that are looked at between two continuations. */
  public static final int SWEEP = 256;

  /** Guest frames that became pages of the type; some may be something else by now. */
  private final TaggedFrames index = new TaggedFrames();

  private final PageClaims all;
  private final Domain domain;
  private final P2mType type;
  private Optional<IoServer> owner = Optional.empty();

  MemoryTypeClaim(PageClaims all, Domain domain, P2mType type) {
    this.all = all;
    this.domain = domain;
    this.type = type;
  }

  /** The type. */
  public P2mType type() {
    return type;
  }

  /** The server that has the type. */
  public Optional<IoServer> owner() {
    return owner;
  }

  boolean isOf(IoServer server) {
    return owner.filter(server::equals).isPresent();
  }

  /** Begins to follow other policies, with no page of the type. */
  void begin() {
    index.clear();
    protect(false);
  }

  /** Pages of the type. */
  public long pages() {
    return p2m().entries(type);
  }

  /** A guest frame became of a type, this one or another. */
  void retyped(Gfn gfn, P2mType now) {
    if (now != type) {
      index.remove(gfn.value());
    } else if (policies().usesIndex()) {
      index.add(gfn.value());
    }
  }

  /**
   * Gives a server the type.
   *
   * @throws Refusal EBUSY a server has it, or, unless pages may wait for a server, there are some
   */
  public void claim(IoServer server) {
    if (owner.isPresent()) {
      throw Refusal.of(
          Errno.EBUSY, "ioreq server %d of %s has the type", owner.get().id(), domain.id());
    }
    if (policies().unclaimed() == ClaimPolicies.Unclaimed.REFUSE && pages() != 0) {
      throw Refusal.of(Errno.EBUSY, "%d pages of %s are left of the type", pages(), domain.id());
    }
    owner = Optional.of(server);
    protect(true);
    if (!policies().alwaysProtects()) {
      follow();
    }
  }

  /**
   * Takes the type from a server. What is of it stays so until it is swept.
   *
   * @throws Refusal EINVAL it does not have it
   */
  public void release(IoServer server) {
    if (!isOf(server)) {
      throw Refusal.of(
          Errno.EINVAL, "ioreq server %d of %s does not have the type", server.id(), domain.id());
    }
    owner = Optional.empty();
    protect(false);
    if (policies().forgetsPages()) {
      return;
    }
    if (policies().unclaimed() == ClaimPolicies.Unclaimed.REFUSE) {
      if (pages() != 0 && policies().update() == ClaimPolicies.ClaimUpdate.LAZY) {
        p2m().types().changeAll(type, P2mType.RAM_RW);
      }
    } else if (!policies().alwaysProtects()) {
      follow();
    }
  }

  /** Takes the type from its server, which is destroyed. */
  void abandon(IoServer server) {
    if (policies().destroyed() == ClaimPolicies.Destroyed.LEAVE) {
      owner = Optional.empty();
      protect(false);
      return;
    }
    release(server);
    long next = 0;
    while (next >= 0) {
      next = sweep(next);
    }
  }

  /**
   * Makes some pages that no server has plain RAM.
   *
   * @param from the guest frame to go on with
   * @return where to go on after that; -1 where none is left
   * @throws Refusal ENOMEM no page to split a larger leaf; what observers answer
   */
  public long sweep(long from) {
    long highest = p2m().maxMappedGfn().value();
    if (owner.isPresent()
        || policies().unclaimed() != ClaimPolicies.Unclaimed.REFUSE
        || policies().forgetsPages()) {
      return -1;
    }
    if (pages() == 0 || from > highest) {
      index.clear();
      return -1;
    }
    return switch (policies().update()) {
      case LAZY -> {
        p2m().types().finishTypeChange(new Gfn(from), SWEEP);
        yield more(from + SWEEP);
      }
      case EAGER -> {
        for (long gfn = from; gfn < from + SWEEP && gfn <= highest; gfn++) {
          untag(gfn);
        }
        yield more(from + SWEEP);
      }
      case INDEXED, PROTECT_AT_TAG -> sweepIndex();
    };
  }

  private long more(long next) {
    return pages() == 0 || next > p2m().maxMappedGfn().value() ? -1 : next;
  }

  private long sweepIndex() {
    for (int done = 0; done < SWEEP && !index.isEmpty(); done++) {
      long gfn = index.first();
      untag(gfn);
      index.remove(gfn);
    }
    return index.isEmpty() ? -1 : index.first();
  }

  private void untag(long gfn) {
    Gfn frame = new Gfn(gfn);
    p2m().counters().countLeafReads(1);
    if (p2m().lookup(frame).type() == type) {
      p2m().changeType(frame, type, settled(frame));
    }
  }

  private P2mType settled(Gfn gfn) {
    return switch (p2m().types().logDirty(gfn, 1)) {
      case ALL -> P2mType.RAM_LOGDIRTY;
      case SOME, NONE -> P2mType.RAM_RW;
    };
  }

  /** Brings the permissions of pages of the type in line with who has it. */
  private void follow() {
    switch (policies().update()) {
      case LAZY -> {
        if (pages() != 0) {
          p2m().types().changeAll(type, type);
        }
      }
      case EAGER -> {
        for (long gfn = 0; gfn <= p2m().maxMappedGfn().value(); gfn++) {
          refresh(gfn);
        }
      }
      case INDEXED -> index.forEach(this::refresh);
      case PROTECT_AT_TAG -> {}
    }
  }

  private void refresh(long gfn) {
    p2m().counters().countLeafReads(1);
    P2mLookup found = p2m().lookup(new Gfn(gfn));
    if (found.type() == type) {
      p2m().changeAccess(new Gfn(gfn), found.access());
    }
  }

  private void protect(boolean claimed) {
    boolean kept = claimed || policies().unclaimed() != ClaimPolicies.Unclaimed.REFUSE;
    boolean takes = claimed || policies().alwaysProtects();
    boolean all = policies().access() == ClaimPolicies.ClaimAccess.ALL;
    p2m().types().setIoreq(type, new IoreqRule(kept, takes && all, takes, policies().isBypassed()));
  }

  private ClaimPolicies policies() {
    return all.policies();
  }

  private P2mTable p2m() {
    return domain.p2m();
  }

  @Override
  public void digest(StateDigest digest) {
    digest.put(owner.map(IoServer::id).orElse(-1)).put(index);
  }
}
