package io.hypercalld.core.state;

import io.hypercalld.core.Hypervisor;
import io.hypercalld.core.SimulatedHost;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.hypercall.AccessOp;
import io.hypercalld.core.hypercall.DirtyVram;
import io.hypercalld.core.hypercall.Outcome;
import io.hypercalld.core.hypercall.PageAccess;
import io.hypercalld.core.hypercall.SetMemType;
import io.hypercalld.core.hypercall.ShadowOp;
import io.hypercalld.core.hypercall.ShadowReport;
import io.hypercalld.core.hypercall.TrackDirtyVram;
import io.hypercalld.core.p2m.Gfn;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.LongStream;

/** How pages change type or are watched, in words of its own; dom0 makes all calls. */
final class TypeHost {
  private static final DomainId DOM0 = DomainId.DOM0;

  private final Hypervisor hypervisor;
  private final RefusedCalls calls;

  TypeHost(Hypervisor hypervisor, RefusedCalls calls) {
    this.hypervisor = hypervisor;
    this.calls = calls;
  }

  long setMemType(DomainId id, long first, long nr, long type) {
    var args = new SetMemType(id, nr, type, 0, new Gfn(first));
    Supplier<Outcome> call = () -> hypervisor.controlCalls().deviceModel().setMemType(DOM0, args);
    // What came before the page that is refused stays done.
    return nr == 1 ? calls.ret(call) : SimulatedHost.ret(call);
  }

  long logDirty(DomainId id, boolean on) {
    return calls.ret(() -> shadow(id, on ? 32 : 0, on ? 4 : 0));
  }

  private Outcome shadow(DomainId id, long op, long mode) {
    return hypervisor
        .controlCalls()
        .logDirty()
        .shadowOp(DOM0, new ShadowOp(id, op, mode, 0, Optional.empty()));
  }

  /** Guest frames written since the last time that they were cleaned, as they are here or not. */
  List<Long> dirty(DomainId id, boolean clean) {
    return shadow(id, clean ? 11 : 12, 0) instanceof Outcome.Success(long _, ShadowReport report)
        ? bits(report.dirtyBitmap(), 0, Long.MAX_VALUE)
        : List.of();
  }

  /** Watches a display, and answers which of its guest frames were written. */
  List<Long> track(DomainId id, long first, int count) {
    Outcome outcome =
        hypervisor
            .controlCalls()
            .logDirty()
            .trackDirtyVram(
                DOM0, new TrackDirtyVram(id, count, 0, new Gfn(first), 2, Optional.empty()));
    return outcome instanceof Outcome.Success(long _, DirtyVram report)
        ? bits(report.dirtyBitmap(), first, count)
        : List.of();
  }

  private static List<Long> bits(List<Integer> bitmap, long first, long count) {
    return LongStream.range(0, Math.min(count, (long) bitmap.size() * Byte.SIZE))
        .filter(bit -> (bitmap.get((int) (bit / Byte.SIZE)) >>> (bit % Byte.SIZE) & 1) != 0)
        .mapToObj(bit -> first + bit)
        .toList();
  }

  long restrict(DomainId id, long gfn, long access) {
    return calls.ret(() -> access(id, 0, gfn, access));
  }

  /** The access of a page, or the negative errno. */
  long accessOf(DomainId id, long gfn) {
    try {
      return access(id, 1, gfn, 0) instanceof Outcome.Success(long _, PageAccess(long access))
          ? access
          : 0;
    } catch (Refusal refusal) {
      return -refusal.errno().number();
    }
  }

  private Outcome access(DomainId id, long op, long gfn, long access) {
    return hypervisor
        .featureCalls()
        .access()
        .access(
            DOM0,
            new AccessOp(op, access, id, 1, new Gfn(gfn), SimulatedHost.frames(), List.of(), 0));
  }
}
