package io.hypercalld.api.machine;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.guest.AccessOutcome;
import io.hypercalld.core.guest.AccessOutcome.Verdict;
import io.hypercalld.core.guest.GuestRequest;
import io.hypercalld.core.guest.GuestRequest.Operation;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mType;
import io.hypercalld.ioreq.dispatch.DomainIo;
import io.hypercalld.ioreq.dispatch.PendingIo;
import io.hypercalld.ioreq.server.ClaimPolicies;
import io.hypercalld.ioreq.server.ClaimPolicies.ClaimAccess;
import io.hypercalld.ioreq.server.ClaimPolicies.Unclaimed;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.random.RandomGenerator;

/** What the guest's processors do in a random run, and what emulators answer them. */
final class PageClaimAccesses {
  /** Where cells of 16 bytes are nobody's memory. */
  static final long MMIO = 0xf000_0000L;

  static final int CELLS = 16;
  static final int VCPUS = 2;

  private final Machine machine;
  private final Domain guest;
  private final ClaimPolicies policies;
  private final PageClaimModel model;
  private final RandomGenerator random;
  private final Map<Integer, GuestRequest> waiting = new TreeMap<>();
  private long written;

  PageClaimAccesses(Machine machine, Domain guest, PageClaimModel model, RandomGenerator random) {
    this.machine = machine;
    this.guest = guest;
    this.policies = model.policies();
    this.model = model;
    this.random = random;
  }

  boolean isAnybodyWaiting() {
    return !waiting.isEmpty();
  }

  /** Processors whose oldest request this server has. */
  List<Integer> waitingFor(int server) {
    return waiting.keySet().stream().filter(vcpu -> pending(vcpu).server().id() == server).toList();
  }

  void readMmio() {
    int vcpu = random.nextInt(VCPUS);
    int cell = random.nextInt(CELLS);
    GuestRequest request =
        new GuestRequest(vcpu, new Word(MMIO + cell * 16L + 4), 4, Operation.READ, new Word(0));
    if (waiting.containsKey(vcpu)) {
      assertThat(make(request).outcome()).isEqualTo(Verdict.PENDING);
      return;
    }
    AccessOutcome outcome = make(request);
    assertThat(outcome.server()).isEqualTo(model.selected(cell));
    if (outcome.outcome() != Verdict.PENDING) {
      assertThat(outcome.data()).contains(new Word(0xffff_ffffL));
    }
  }

  /** Reads or writes a page. */
  void access(long gfn) {
    int vcpu = random.nextInt(VCPUS);
    Operation op = operation();
    GuestRequest request =
        new GuestRequest(vcpu, new Word(gfn << 12), Long.BYTES, op, new Word(++written));
    boolean busy = waiting.containsKey(vcpu);
    AccessOutcome outcome = make(request);
    if (busy) {
      assertThat(outcome.outcome()).isEqualTo(Verdict.PENDING);
    } else if (op == Operation.READ) {
      judgeRead(request, outcome);
    } else {
      judgeWrite(request, outcome);
    }
  }

  /** What is added to is read by the hypervisor as long as reads are nobody's. */
  private Operation operation() {
    return switch (random.nextInt(6)) {
      case 0, 1 -> Operation.READ;
      case 2 -> policies.access() == ClaimAccess.WRITE ? Operation.ADD : Operation.WRITE;
      default -> Operation.WRITE;
    };
  }

  private AccessOutcome make(GuestRequest request) {
    AccessOutcome outcome = machine.execute(new AccessGuest(guest.id(), request));
    if (outcome.outcome() == Verdict.PENDING) {
      waiting.putIfAbsent(request.vcpu(), request);
    }
    return outcome;
  }

  private void judgeWrite(GuestRequest request, AccessOutcome outcome) {
    long gfn = request.gpa().value() >>> 12;
    Optional<P2mType> tag = model.tag(gfn);
    Optional<Integer> owner = tag.flatMap(model::owner);
    if (owner.isPresent()) {
      assertThat(outcome.outcome()).isEqualTo(Verdict.PENDING);
      assertThat(outcome.server()).isEqualTo(owner);
      assertThat(pending(request.vcpu()).request().data()).isEqualTo(written(request));
    } else if (tag.isEmpty() || policies.unclaimed() == Unclaimed.RAM) {
      assertThat(outcome.outcome()).isIn(Verdict.DONE, Verdict.EMULATED);
      model.memory().put(gfn, written(request));
    } else if (policies.unclaimed() == Unclaimed.DISCARD) {
      assertThat(outcome.outcome()).isEqualTo(Verdict.DISCARDED);
      model.countLost();
    } else {
      assertThat(outcome.outcome()).isEqualTo(Verdict.RETRY);
    }
  }

  /** What memory is to hold where the request is made now and reaches it. */
  private long written(GuestRequest request) {
    long there = model.memory().getOrDefault(request.gpa().value() >>> 12, 0L);
    return request.data().value() + (request.op() == Operation.ADD ? there : 0);
  }

  private void judgeRead(GuestRequest request, AccessOutcome outcome) {
    long gfn = request.gpa().value() >>> 12;
    Optional<P2mType> tag = model.tag(gfn);
    boolean taken = tag.isPresent() && policies.access() == ClaimAccess.ALL;
    if (taken && tag.flatMap(model::owner).isPresent()) {
      assertThat(outcome.outcome()).isEqualTo(Verdict.PENDING);
    } else if (taken && policies.unclaimed() == Unclaimed.REFUSE) {
      assertThat(outcome.outcome()).isEqualTo(Verdict.RETRY);
    } else {
      assertThat(outcome.data()).contains(new Word(model.memory().getOrDefault(gfn, 0L)));
    }
  }

  /** What waited for a server that is gone is made anew, or is all ones. */
  void resume(int vcpu) {
    GuestRequest request = waiting.remove(vcpu);
    AccessOutcome outcome = make(request);
    if (request.op() != Operation.READ) {
      judgeWrite(request, outcome);
    } else if (outcome.outcome() != Verdict.PENDING) {
      assertThat(outcome.data()).contains(new Word(ones(request)));
    }
  }

  private static long ones(GuestRequest request) {
    return request.size() == Long.BYTES ? -1 : (1L << (request.size() * Byte.SIZE)) - 1;
  }

  /** An emulator answers: it writes to memory what the guest wrote, and reads what it reads. */
  void answerSomebody() {
    Optional<Integer> vcpu = waiting.keySet().stream().findFirst();
    if (vcpu.isEmpty()) {
      return;
    }
    GuestRequest request = waiting.remove(vcpu.get());
    PendingIo asked = pending(vcpu.get());
    long gpa = request.gpa().value();
    long data = gpa >= MMIO ? 0x12 : model.memory().getOrDefault(gpa >>> 12, 0L);
    if (request.op() != Operation.READ) {
      data = asked.request().data();
      machine.hypervisor().memory().writeWord(maddr(gpa >>> 12), data);
      model.memory().put(gpa >>> 12, data);
    }
    machine.execute(
        new AnswerRequest(
            guest.id(),
            asked.server().id(),
            asked.number(),
            new Word(request.op() == Operation.READ ? data : 0)));
    AccessOutcome outcome = make(request);
    assertThat(outcome.outcome()).isIn(Verdict.DONE, Verdict.EMULATED);
    if (request.op() == Operation.READ) {
      assertThat(outcome.data()).contains(new Word(data));
    }
  }

  private PendingIo pending(int vcpu) {
    return guest.facet(DomainIo.class).oldest(vcpu).orElseThrow();
  }

  long maddr(long gfn) {
    return guest.p2m().lookup(new Gfn(gfn)).mfn().maddr();
  }

  /** Those wait whom the machine has waiting. */
  void check() {
    assertThat(guest.facet(DomainIo.class).pending())
        .extracting(PendingIo::vcpu)
        .containsExactlyInAnyOrderElementsOf(waiting.keySet());
  }
}
