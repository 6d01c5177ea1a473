package io.hypercalld.core.domain;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mAccess;
import io.hypercalld.core.p2m.P2mLookup;
import io.hypercalld.core.p2m.P2mTable;
import java.util.ArrayList;
import java.util.List;

/**
 * What a guest may do with pages beyond what their types say, and what happens where it tries more.
 * Confined to the machine thread.
 *
 * @see "xen/arch/x86/mm/mem_access.c, p2m_mem_access_check"
 */
public final class MemoryAccess implements Digestible {
  private final Domain domain;
  private final P2mTable p2m;
  private final VmEvents events;
  private boolean required;

  MemoryAccess(Domain domain, VmEvents events) {
    this.domain = domain;
    this.p2m = domain.p2m();
    this.events = events;
  }

  /** What a guest tries. */
  public enum Kind {
    READ,
    WRITE,
    FETCH
  }

  /** One try of a vCPU's that its P2M entry did not let through. */
  public record Attempt(Kind kind, long gpa, int vcpu) {}

  /** What becomes of a try. */
  public enum Verdict {
    /** The access does not forbid it: whatever did is to be looked for elsewhere. */
    ALLOWED,
    /** The access was changed, or the monitor's ring is full: the vCPU is to try again. */
    RETRY,
    /** The monitor was told and the vCPU waits for its answer. */
    PAUSED,
    /** Nobody listens and somebody must: the domain has crashed. */
    CRASHED
  }

  /** Whether a monitor listens. */
  public boolean isMonitored() {
    return ring().isEnabled();
  }

  private VmEventRing ring() {
    return events.ring(VmEventRing.Kind.MONITOR);
  }

  /** Whether what the access forbids crashes the domain where no monitor listens. */
  public boolean isRequired() {
    return required;
  }

  public void require(boolean listener) {
    required = listener;
  }

  /**
   * Restricts one page of the smallest size, splitting a larger leaf; no effect where nothing is
   * mapped.
   *
   * @throws io.hypercalld.core.errno.Refusal ENOMEM no page to split; EINVAL out of reach
   */
  public void restrict(Gfn gfn, P2mAccess access) {
    p2m.changeAccess(gfn, access);
  }

  /**
   * Judges a try that the entry did not let through, by the access of the page alone. It may change
   * the access and tell the monitor.
   */
  public Verdict check(Attempt attempt) {
    Gfn gfn = new Gfn(attempt.gpa >>> PageSize.SHIFT_4K);
    P2mLookup found = p2m.lookup(gfn);
    P2mAccess access = found.access();
    if (!found.mfn().isValid() || !forbids(access, attempt.kind)) {
      return Verdict.ALLOWED;
    }
    if (attempt.kind == Kind.WRITE && access == P2mAccess.RX2RW) {
      restrict(gfn, P2mAccess.RW);
      return Verdict.RETRY;
    }
    if (access == P2mAccess.N2RWX) {
      restrict(gfn, P2mAccess.RWX);
    }
    if (!isMonitored()) {
      return unheard(gfn, access, attempt);
    }
    return tell(gfn, found, attempt);
  }

  private Verdict unheard(Gfn gfn, P2mAccess access, Attempt attempt) {
    if (required) {
      domain.crash(
          "vCPU %d tried a %s of guest frame %s, access %s, and no monitor"
              .formatted(attempt.vcpu, attempt.kind, gfn, access));
      return Verdict.CRASHED;
    }
    restrict(gfn, P2mAccess.RWX);
    return Verdict.RETRY;
  }

  private Verdict tell(Gfn gfn, P2mLookup found, Attempt attempt) {
    int offset = (int) (attempt.gpa & (PageSize.BYTES_4K - 1));
    VmEvents.Subject subject = new VmEvents.Subject(gfn, offset, found.type(), flags(attempt.kind));
    if (found.access() == P2mAccess.N2RWX) {
      events.tell(VmEventRing.Kind.MONITOR, attempt.vcpu, subject);
      return Verdict.RETRY;
    }
    if (!ring().hasRoom()) {
      return Verdict.RETRY;
    }
    events.tellAndPause(VmEventRing.Kind.MONITOR, attempt.vcpu, subject);
    return Verdict.PAUSED;
  }

  // The hardware reports a write as a read and a write, as it may be a read-modify-write.
  private static List<VmEvent.Flag> flags(Kind kind) {
    List<VmEvent.Flag> flags = new ArrayList<>();
    switch (kind) {
      case READ -> flags.add(VmEvent.Flag.R);
      case WRITE -> flags.addAll(List.of(VmEvent.Flag.R, VmEvent.Flag.W));
      case FETCH -> flags.add(VmEvent.Flag.X);
    }
    return flags;
  }

  private static boolean forbids(P2mAccess access, Kind kind) {
    return switch (access) {
      case RWX -> false;
      case N, N2RWX -> true;
      case R, R_PW -> kind != Kind.READ;
      case W -> true;
      case X -> kind != Kind.FETCH;
      case RX, RX2RW -> kind == Kind.WRITE;
      case WX -> kind != Kind.FETCH;
      case RW -> kind == Kind.FETCH;
    };
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("memory-access").put(required);
  }
}
