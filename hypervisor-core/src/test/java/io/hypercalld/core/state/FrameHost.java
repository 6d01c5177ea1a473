package io.hypercalld.core.state;

import io.hypercalld.core.Hypervisor;
import io.hypercalld.core.SimulatedHost;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.hypercall.Exchange;
import io.hypercalld.core.hypercall.Exchanged;
import io.hypercalld.core.hypercall.ExtentList;
import io.hypercalld.core.hypercall.GuestFrames;
import io.hypercalld.core.hypercall.Outcome;
import io.hypercalld.core.hypercall.PinTable;
import io.hypercalld.core.hypercall.PopulatePhysmap;
import io.hypercalld.core.hypercall.UnpinTable;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.p2m.Gfn;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** What is done with frames of the machine, in words of its own; dom0 makes all calls. */
final class FrameHost {
  private static final DomainId DOM0 = DomainId.DOM0;

  private final Hypervisor hypervisor;
  private final RefusedCalls calls;

  FrameHost(Hypervisor hypervisor, RefusedCalls calls) {
    this.hypervisor = hypervisor;
    this.calls = calls;
  }

  /** Has a guest without P2M populate so many frames; answers those it got. */
  List<Long> populate(DomainId id, int count) {
    Outcome outcome =
        hypervisor
            .memoryCalls()
            .populatePhysmap(
                DOM0,
                new PopulatePhysmap(
                    id,
                    GuestFrames.consecutive(new Gfn(0), count),
                    Optional.empty(),
                    0,
                    new Word(0)));
    return outcome instanceof Outcome.Success(long _, ExtentList(List<Mfn> frames))
        ? frames.stream().map(Mfn::value).toList()
        : List.of();
  }

  /**
   * Gives single frames for one extent of that order; answers its first frame.
   *
   * @param whole whether a refusal is to change nothing
   */
  OptionalLong exchange(DomainId id, long[] given, int order, boolean whole) {
    var in = reservation(id, SimulatedHost.frames(given), 0);
    var out = reservation(id, SimulatedHost.frames(0), order);
    return calls.watch(
        () -> exchanged(new Exchange(in, out, 0, 0)), found -> whole && found.isEmpty());
  }

  private OptionalLong exchanged(Exchange args) {
    try {
      return hypervisor.memoryCalls().exchange(DOM0, args)
              instanceof Outcome.Success(long _, Exchanged(long _, ExtentList(List<Mfn> frames)))
          ? OptionalLong.of(frames.getFirst().value())
          : OptionalLong.empty();
    } catch (Refusal refusal) {
      return OptionalLong.empty();
    }
  }

  private static Exchange.Reservation reservation(DomainId id, GuestFrames frames, int order) {
    return new Exchange.Reservation(id, frames, Optional.empty(), order, new Word(0));
  }

  /** Has a frame of a guest without P2M be a page table, or not any more. */
  long pin(DomainId id, long mfn, boolean on) {
    return calls.ret(
        () ->
            on
                ? hypervisor.pinCalls().pin(DOM0, new PinTable(id, new Mfn(mfn)))
                : hypervisor.pinCalls().unpin(DOM0, new UnpinTable(id, new Mfn(mfn))));
  }

  long read(long mfn) {
    return hypervisor.memory().readWord(new Mfn(mfn).maddr());
  }

  void write(long mfn, long word) {
    hypervisor.memory().writeWord(new Mfn(mfn).maddr(), word);
  }

  long references(long mfn) {
    return hypervisor.frames().references(mfn);
  }
}
