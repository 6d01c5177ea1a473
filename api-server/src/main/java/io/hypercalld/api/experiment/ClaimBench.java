package io.hypercalld.api.experiment;

import io.hypercalld.api.machine.AccessGuest;
import io.hypercalld.api.machine.AnswerRequest;
import io.hypercalld.api.machine.ChooseDomainPolicies;
import io.hypercalld.api.machine.ClaimChoices;
import io.hypercalld.api.machine.ComposeServer;
import io.hypercalld.api.machine.Hypercalls;
import io.hypercalld.api.machine.Machine;
import io.hypercalld.api.machine.MemoryPolicies;
import io.hypercalld.api.machine.Preempt;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.guest.AccessOutcome;
import io.hypercalld.core.guest.GuestRequest;
import io.hypercalld.core.guest.GuestRequest.Operation;
import io.hypercalld.core.hypercall.Hypercall;
import io.hypercalld.core.hypercall.Outcome;
import io.hypercalld.core.hypercall.SetMemType;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mCounters;
import io.hypercalld.ioreq.dispatch.DomainIo;
import io.hypercalld.ioreq.dispatch.IoCounters;
import io.hypercalld.ioreq.hypercall.MapMemType;
import io.hypercalld.ioreq.server.BufferedMode;
import io.hypercalld.ioreq.server.ClaimPolicies;
import io.hypercalld.ioreq.server.IoServer;
import java.util.List;
import java.util.Optional;

/**
 * A guest whose pages a device model claims, and what all that costs. Confined to the thread that
 * runs the experiment.
 *
 * <p>Every hypercall stops after each step, so that the longest one can be told.
 */
final class ClaimBench implements AutoCloseable {
  static final int RAM_RW = 0;
  static final int RAM_RO = 1;
  static final int IOREQ_SERVER = 4;

  private static final long WRITE = 2;
  private static final long READ = 1;

  private final ScratchMachine scratch;
  private final Domain guest;
  private long hypercalls;
  private long flushingCalls;
  private long steps;
  private long longestStep;

  /** A guest with all of its memory mapped by leaves of 4 KiB. */
  ClaimBench(long bytes) {
    this.scratch = new ScratchMachine(bytes);
    this.guest = scratch.guestOfSmallPages(bytes, MemoryPolicies.usual());
    machine().execute(new Preempt(1));
  }

  Machine machine() {
    return scratch.machine();
  }

  Domain guest() {
    return guest;
  }

  void choose(ClaimPolicies policies) {
    machine().execute(ChooseDomainPolicies.of(guest.id(), ClaimChoices.all(policies)));
  }

  /** An enabled server with the page that requests need. */
  IoServer server() {
    return machine().execute(new ComposeServer(guest.id(), BufferedMode.OFF, List.of(), true));
  }

  /** Makes a hypercall step by step; answers why not where it is refused. */
  Optional<Errno> tries(Hypercall call) {
    hypercalls++;
    long flushes = guest.p2m().counters().flushes();
    long before = touched();
    Hypercalls.Progress progress = machine().hypercalls().start(DomainId.DOM0, call);
    while (progress instanceof Hypercalls.Stopped stopped) {
      before = endStep(before);
      progress = machine().hypercalls().resume(stopped.call().number());
    }
    endStep(before);
    flushingCalls += guest.p2m().counters().flushes() > flushes ? 1 : 0;
    return progress instanceof Hypercalls.Ended(Outcome.Refused refused)
        ? Optional.of(refused.errno())
        : Optional.empty();
  }

  /** Makes a hypercall that is not to be refused. */
  void call(Hypercall call) {
    tries(call)
        .ifPresent(
            errno -> {
              throw Refusal.of(errno, "the bench is refused %s", call);
            });
  }

  private long endStep(long before) {
    long now = touched();
    steps++;
    longestStep = Math.max(longestStep, now - before);
    return now;
  }

  private long touched() {
    P2mCounters counters = guest.p2m().counters();
    return counters.leafReads() + counters.entryWrites();
  }

  void retype(long gfn, long count, int type) {
    call(new SetMemType(guest.id(), count, type, 0, new Gfn(gfn)));
  }

  Optional<Errno> claims(IoServer server, int type) {
    boolean all = claimPolicies().access() == ClaimPolicies.ClaimAccess.ALL;
    return tries(mapping(server, type, all ? READ | WRITE : WRITE));
  }

  void claim(IoServer server) {
    call(mapping(server, IOREQ_SERVER, WRITE));
  }

  void release(IoServer server) {
    call(mapping(server, IOREQ_SERVER, 0));
  }

  private ClaimPolicies claimPolicies() {
    return guest.facet(io.hypercalld.ioreq.server.IoServers.class).claims().policies();
  }

  private MapMemType mapping(IoServer server, int type, long flags) {
    return new MapMemType(guest.id(), server.id(), type, flags, new Word(0));
  }

  /**
   * Has the guest access eight bytes, and the server answer as often as it is asked: what it is
   * given it writes to memory, and what it is asked for it reads there.
   */
  AccessOutcome access(long gpa, Operation op, long data) {
    GuestRequest request = new GuestRequest(0, new Word(gpa), Long.BYTES, op, new Word(data));
    AccessOutcome outcome = machine().execute(new AccessGuest(guest.id(), request));
    while (outcome.outcome() == AccessOutcome.Verdict.PENDING) {
      answer(outcome);
      outcome = machine().execute(new AccessGuest(guest.id(), request));
    }
    return outcome;
  }

  private void answer(AccessOutcome waiting) {
    int server = waiting.server().orElseThrow();
    long number = waiting.request().orElseThrow();
    var asked = io().get(server, number).request();
    long maddr = maddr(asked.address());
    if (asked.flags().reads()) {
      Word there = new Word(machine().hypervisor().memory().readWord(maddr));
      machine().execute(new AnswerRequest(guest.id(), server, number, there));
    } else {
      machine().hypervisor().memory().writeWord(maddr, asked.data());
      machine().execute(new AnswerRequest(guest.id(), server, number, new Word(0)));
    }
  }

  /** What a guest's memory holds, whoever has the page. */
  long word(long gpa) {
    return machine().hypervisor().memory().readWord(maddr(gpa));
  }

  void setWord(long gpa, long word) {
    machine().hypervisor().memory().writeWord(maddr(gpa), word);
  }

  private long maddr(long gpa) {
    return guest.p2m().lookup(new Gfn(gpa >>> PageSize.SHIFT_4K)).mfn().maddr()
        + (gpa & (PageSize.BYTES_4K - 1));
  }

  private DomainIo io() {
    return guest.facet(DomainIo.class);
  }

  IoCounters ioCounters() {
    return io().counters();
  }

  long requests() {
    return ioCounters().sent().values().stream().mapToLong(Long::longValue).sum();
  }

  /** Counts from 0 again. */
  void reset() {
    guest.p2m().counters().reset();
    ioCounters().reset();
    hypercalls = 0;
    flushingCalls = 0;
    steps = 0;
    longestStep = 0;
  }

  /** Hypercalls since then that left processors something to forget. */
  long flushingCalls() {
    return flushingCalls;
  }

  /** What was done since it was counted from 0. */
  PageClaimAnswer.Cost cost() {
    P2mCounters counters = guest.p2m().counters();
    return new PageClaimAnswer.Cost(
        counters.leafReads(),
        counters.entryWrites(),
        counters.flushes(),
        hypercalls,
        steps,
        longestStep);
  }

  @Override
  public void close() {
    scratch.close();
  }
}
