package io.hypercalld.core.guest;

import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.MemoryAccess;
import io.hypercalld.core.domain.P2mNotice;
import io.hypercalld.core.domain.PhysicalMap;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.guest.AccessOutcome.Verdict;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mLookup;
import io.hypercalld.core.p2m.P2mType;
import java.util.Optional;

/**
 * What happens between a guest's access to one page and the memory behind it. Confined to the
 * machine thread.
 *
 * @see "xen/arch/x86/hvm/hvm.c, hvm_hap_nested_page_fault; xen/arch/x86/mm/p2m-ept.c,
 *     ept_handle_misconfig"
 */
final class PageFaults {
  /** Faults that one access may take before it is said to be tried for ever. */
  private static final int MOST_FAULTS = 4;

  private final Domain domain;
  private final PhysicalMap map;
  private final FaultCounts counts;

  PageFaults(Domain domain, FaultCounts counts) {
    this.domain = domain;
    this.counts = counts;
    this.map = domain.physicalMap().orElseThrow();
  }

  /** Where an access to a page ends once every fault on the way is handled. */
  Landing land(Gfn gfn, MemoryAccess.Attempt attempt) {
    for (int fault = 0; fault < MOST_FAULTS; fault++) {
      Optional<Landing> landing = tryOnce(gfn, attempt);
      if (landing.isPresent()) {
        return landing.get();
      }
    }
    return Landing.stopped(
        Verdict.RETRY,
        "guest frame %s is %s: the vCPU tries again".formatted(gfn, map.query(gfn).type()));
  }

  /** Empty where the access is to be tried again. */
  private Optional<Landing> tryOnce(Gfn gfn, MemoryAccess.Attempt attempt) {
    try {
      domain.p2m().resolve(gfn);
    } catch (Refusal refusal) {
      return crashed("a lazy type change failed: %s".formatted(refusal.reason()));
    }
    P2mLookup found = map.query(gfn);
    AccessHandling handling = AccessHandling.in(domain, gfn, found, attempt.kind());
    if (handling == AccessHandling.MEMORY) {
      return reached(gfn, found);
    }
    counts.count(found.type(), attempt.kind());
    if (handling == AccessHandling.EMULATE) {
      // This happens with every access to a device, and is told by whoever emulates.
      return Optional.of(new Landing.Emulated(found.type()));
    }
    tell(gfn, attempt, found.type());
    return handle(handling, gfn, found.type(), attempt);
  }

  /** What is to be done where neither memory nor an emulator has the page. */
  private Optional<Landing> handle(
      AccessHandling handling, Gfn gfn, P2mType type, MemoryAccess.Attempt attempt) {
    return switch (handling) {
      case MEMORY, EMULATE -> throw new IllegalStateException("it has landed");
      case EXCEPTION -> Optional.of(Landing.stopped(Verdict.FAULT, handling.note()));
      case DISCARD -> Optional.of(new Landing.Dropped());
      case POPULATE -> populate(gfn);
      case UNSHARE -> unshare(gfn, attempt.vcpu());
      case RESTRICTED -> ask(attempt);
      case PAGE_IN -> pageIn(gfn, attempt.vcpu());
      case LOG_DIRTY -> logDirty(gfn);
      case SPIN -> spin(gfn, type);
      case CRASH -> crashed("it touched %s at guest frame %s".formatted(type, gfn));
    };
  }

  private void tell(Gfn gfn, MemoryAccess.Attempt attempt, P2mType type) {
    domain
        .notices()
        .tell(
            P2mNotice.FAULT,
            new P2mNotice.Fault(domain.id(), attempt.vcpu(), gfn, attempt.kind(), type));
  }

  private Optional<Landing> reached(Gfn gfn, P2mLookup found) {
    domain.p2m().touched(gfn, found);
    return Optional.of(new Landing.Frame(found.mfn().maddr()));
  }

  private Optional<Landing> populate(Gfn gfn) {
    map.obtain(gfn);
    return domain.run().isShutDown() ? ended() : Optional.empty();
  }

  private Optional<Landing> unshare(Gfn gfn, int vcpu) {
    P2mLookup found = map.obtainUnshared(gfn);
    if (found.type() != P2mType.RAM_SHARED) {
      return Optional.empty();
    }
    return domain.features().sharing().starve(gfn, Optional.of(vcpu))
        ? waiting("vCPU %d waits for memory to unshare %s".formatted(vcpu, gfn))
        : crashed("there was no memory to unshare guest frame %s".formatted(gfn));
  }

  private Optional<Landing> ask(MemoryAccess.Attempt attempt) {
    return switch (domain.features().access().check(attempt)) {
      case ALLOWED, RETRY -> Optional.empty();
      case PAUSED -> waiting("vCPU %d waits for the monitor".formatted(attempt.vcpu()));
      case CRASHED -> ended();
    };
  }

  private Optional<Landing> pageIn(Gfn gfn, int vcpu) {
    if (domain.features().paging().fault(gfn, vcpu)) {
      return waiting("vCPU %d waits for the pager".formatted(vcpu));
    }
    return domain.run().isShutDown() ? ended() : Optional.empty();
  }

  private Optional<Landing> logDirty(Gfn gfn) {
    try {
      domain.logDirty().writeFault(gfn);
      return Optional.empty();
    } catch (Refusal refusal) {
      return Optional.of(Landing.stopped(Verdict.RETRY, refusal.reason()));
    }
  }

  private static Optional<Landing> spin(Gfn gfn, P2mType type) {
    return Optional.of(
        Landing.stopped(
            Verdict.RETRY, "guest frame %s is %s: the vCPU tries again".formatted(gfn, type)));
  }

  private static Optional<Landing> waiting(String reason) {
    return Optional.of(Landing.stopped(Verdict.PENDING, reason));
  }

  private Optional<Landing> crashed(String reason) {
    domain.crash(reason);
    return ended();
  }

  private Optional<Landing> ended() {
    return Optional.of(
        Landing.stopped(
            Verdict.FAULT, "%s crashed: %s".formatted(domain.id(), domain.run().crashReason())));
  }
}
