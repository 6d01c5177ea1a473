package io.hypercalld.ioreq.dispatch;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.guest.AccessOutcome;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.ioreq.dispatch.DomainIo.Stuck;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What one vCPU waits for, or what became of the instruction for which it did. Confined to the
 * machine thread.
 */
final class VcpuIo implements Digestible {
  private final List<PendingIo> pending = new ArrayList<>();
  private Optional<Instruction> parked = Optional.empty();
  private Optional<Finished> finished = Optional.empty();
  private Optional<Stuck> stuck = Optional.empty();
  private boolean stale;

  /** An instruction that waited, and how it ended. */
  record Finished(Instruction instruction, AccessOutcome outcome) {}

  /** Requests without an answer, oldest first: at most one to each server. */
  List<PendingIo> pending() {
    return pending;
  }

  boolean isWaiting() {
    return !pending.isEmpty();
  }

  void add(PendingIo request) {
    pending.add(request);
  }

  void remove(PendingIo request) {
    pending.remove(request);
  }

  /** The instruction that waits. */
  Optional<Instruction> parked() {
    return parked;
  }

  void park(Instruction instruction) {
    parked = Optional.of(instruction);
    finished = Optional.empty();
  }

  /** Nothing waits. */
  void unpark() {
    parked = Optional.empty();
  }

  /** An instruction that waited has ended; whoever asks for it next learns how. */
  void finish(Instruction instruction, AccessOutcome outcome) {
    finished = Optional.of(new Finished(instruction, outcome));
    parked = Optional.empty();
  }

  /** How an instruction ended that waited, if it is the last that did; told once. */
  Optional<AccessOutcome> collect(Instruction instruction) {
    Optional<Finished> last = finished;
    finished = Optional.empty();
    return last.isPresent() && last.get().instruction.repeats(instruction)
        ? Optional.of(last.get().outcome)
        : Optional.empty();
  }

  /** Some of the guest's memory is not where servers may have mapped it any more. */
  void setStale() {
    stale = true;
  }

  /** Whether servers are to be told so; they are from now on. */
  boolean takeStale() {
    boolean was = stale;
    stale = false;
    return was;
  }

  /** Notes that a write could not be made. */
  void retried(Gfn gfn) {
    long before = stuck.filter(last -> last.gfn().equals(gfn)).map(Stuck::retries).orElse(0L);
    stuck = Optional.of(new Stuck(gfn, before + 1));
  }

  /** Notes that something else was made. */
  void moved() {
    stuck = Optional.empty();
  }

  Optional<Stuck> stuck() {
    return stuck;
  }

  /** Whether it is as it was at the start. */
  boolean isIdle() {
    return pending.isEmpty() && parked.isEmpty() && finished.isEmpty() && stuck.isEmpty() && !stale;
  }

  @Override
  public void digest(StateDigest digest) {
    digest.put(pending.size());
    pending.forEach(digest::put);
    digest.put(parked.isPresent());
    parked.ifPresent(digest::put);
    digest.put(finished.isPresent());
    finished.ifPresent(last -> digest.put(last.instruction).put(last.outcome.toString()));
    digest.put(stuck.map(last -> last.gfn().value()).orElse(-1L));
    digest.put(stuck.map(Stuck::retries).orElse(0L)).put(stale);
  }
}
