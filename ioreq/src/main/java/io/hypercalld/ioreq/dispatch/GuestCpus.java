package io.hypercalld.ioreq.dispatch;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.domain.DomainTable;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.guest.AccessOutcome;
import io.hypercalld.core.guest.GuestAccess;
import io.hypercalld.core.guest.GuestInstruction;
import io.hypercalld.core.guest.GuestMemory;
import io.hypercalld.core.guest.GuestRequest;
import io.hypercalld.core.memory.MachineMemory;
import io.hypercalld.core.time.VirtualClock;
import io.hypercalld.ioreq.page.IoRequest;
import io.hypercalld.ioreq.page.RequestSlot;
import io.hypercalld.ioreq.page.RequestType;
import io.hypercalld.ioreq.server.AnswerWatcher;
import io.hypercalld.ioreq.server.IoServer;
import io.hypercalld.ioreq.server.IoreqNotice;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * Executes instructions of guests' vCPUs that access memory or ports. Confined to the machine
 * thread.
 *
 * <p>One that an emulator has to answer waits; once it is answered the vCPU goes on by itself, and
 * who gives it the same instruction again learns how it ended.
 *
 * @see "xen/common/ioreq.c, vcpu_ioreq_handle_completion; xen/arch/x86/hvm/io.c"
 */
public final class GuestCpus {
  /** Every mapping of the guest's memory is to be dropped. */
  private static final IoRequest INVALIDATE =
      new IoRequest(RequestType.INVALIDATE, 0, -1, 0, Integer.BYTES, IoRequest.Flags.single(false));

  private final DomainTable domains;
  private final VirtualClock clock;
  private final IoDispatch dispatch;
  private final InstructionUnit unit;

  private Predicate<DomainId> losing = _ -> false;

  /** Whose hypercall is being made. */
  private Optional<DomainId> calling = Optional.empty();

  public GuestCpus(
      DomainTable domains, GuestAccess memory, MachineMemory machine, VirtualClock clock) {
    this.domains = domains;
    this.clock = clock;
    this.dispatch = new IoDispatch(machine, clock);
    this.unit = new InstructionUnit(memory, new GuestMemory(machine), dispatch);
    memory.answerFirst(new IoApicPage());
    memory.emulateBy(dispatch);
    clock.onAdvance(this::timePassed);
  }

  /**
   * Has answers not arrive, on purpose.
   *
   * @param decision is asked for each answer, by the domain whose vCPU waits for it
   */
  public void loseAnswers(Predicate<DomainId> decision) {
    losing = decision;
  }

  /** What a domain's vCPUs wait for, from its creation on; its servers are to tell of answers. */
  public DomainIo attach(Domain domain) {
    DomainIo io = new DomainIo(domain);
    domain.facets().onMappingsLost(() -> mappingsLost(io));
    io.servers()
        .watch(
            new AnswerWatcher() {
              @Override
              public void notified(int vcpu) {
                examine(io, vcpu);
              }

              @Override
              public void leaving(IoServer server) {
                io.pending(server.id()).forEach(request -> forsake(io, request));
              }
            });
    return io;
  }

  /**
   * Executes an instruction that accesses memory.
   *
   * @throws Refusal as {@link GuestAccess#perform}
   */
  public AccessOutcome access(Domain domain, GuestRequest request) {
    GuestAccess.check(domain, request);
    return run(domain, request.vcpu(), new Instruction.Memory(new GuestInstruction(request)));
  }

  /**
   * Executes an instruction that accesses a port.
   *
   * @throws Refusal ENOENT no such vCPU; EOPNOTSUPP a PV domain; EINVAL a domain that is dying or
   *     has ended; a size other than 1, 2 or 4, ports that there are not, or data that is larger
   */
  public AccessOutcome access(Domain domain, PortAccess access) {
    GuestAccess.requireVcpu(domain, access.vcpu());
    access.check();
    return run(domain, access.vcpu(), new Instruction.Port(access));
  }

  /**
   * Executes a repeated instruction.
   *
   * @throws Refusal ENOENT no such vCPU; EOPNOTSUPP a PV domain; EINVAL a domain that is dying or
   *     has ended, a size or a number of elements that no instruction has, an address that wraps,
   *     or a value where only memory can be at the other end
   */
  public AccessOutcome access(Domain domain, RepeatedAccess access) {
    GuestAccess.requireVcpu(domain, access.vcpu());
    access.check();
    return run(domain, access.vcpu(), new Instruction.Repeated(new Repetition(access)));
  }

  private AccessOutcome run(Domain domain, int number, Instruction instruction) {
    DomainIo io = domain.facet(DomainIo.class);
    VcpuIo vcpu = io.vcpu(number);
    examine(io, number);
    boolean again = vcpu.parked().isPresent() && instruction.repeats(vcpu.parked().get());
    if (vcpu.isWaiting()) {
      PendingIo request = io.oldest(number).orElseThrow();
      AccessOutcome waiting = AccessOutcome.waiting(request.server().id(), request.number());
      return again ? waiting : waiting.because(waiting.reason().orElse("") + ", not for this");
    }
    if (again) {
      return execute(io, number, vcpu.parked().orElseThrow());
    }
    return vcpu.collect(instruction).orElseGet(() -> execute(io, number, instruction));
  }

  private AccessOutcome execute(DomainIo io, int number, Instruction instruction) {
    io.takeEvent(number);
    AccessOutcome outcome = unit.execute(io, instruction);
    VcpuIo vcpu = io.vcpu(number);
    if (outcome.isUnfinished()) {
      vcpu.park(instruction);
    } else {
      vcpu.unpark();
      vcpu.moved();
    }
    return outcome;
  }

  /**
   * Answers a request, as its emulator would in the slot.
   *
   * @param data what was read; of no meaning for a write
   * @throws Refusal ENOENT no such request waits; EINVAL more data than asked for
   */
  public void respond(Domain domain, int server, long number, Word data) {
    DomainIo io = domain.facet(DomainIo.class);
    PendingIo request = io.get(server, number);
    if (request.request().cut(data.value()) != data.value()) {
      throw Refusal.of(Errno.EINVAL, "%s has more than %d bytes", data, request.request().size());
    }
    examine(io, request.vcpu());
    request = io.get(server, number);
    if (request.request().flags().reads()) {
      request.slot().setData(data.value());
    }
    request.slot().setState(RequestSlot.RESP_READY);
    examine(io, request.vcpu());
  }

  /** Looks at the slots of a vCPU that waits, as it does whenever it is woken. */
  private void examine(DomainIo io, int number) {
    List<PendingIo> pending = io.vcpu(number).pending();
    if (pending.size() == 1) {
      examine(io, pending.getFirst());
    } else {
      // One that goes on may make new ones, which are looked at when they are notified of.
      List.copyOf(pending).forEach(request -> examine(io, request));
    }
  }

  private void examine(DomainIo io, PendingIo request) {
    switch (request.look()) {
      case WAITING -> {}
      case ANSWERED -> takeAnswer(io, request);
      case WITHDRAWN -> complete(io, request, -1);
      case NONSENSE -> {
        io.domain()
            .crash(
                "ioreq server %d put request %d into state %d"
                    .formatted(request.server().id(), request.number(), request.slot().state()));
        abort(io, request);
      }
    }
  }

  private void takeAnswer(DomainIo io, PendingIo request) {
    if (losing.test(io.domain().id())) {
      request.loseAnswer();
      return;
    }
    long data = request.slot().data();
    request.slot().setState(RequestSlot.NONE);
    complete(io, request, data);
  }

  private void complete(DomainIo io, PendingIo request, long data) {
    io.remove(request);
    io.tell(IoreqNotice.COMPLETED, request);
    Optional<Instruction> parked = io.vcpu(request.vcpu()).parked();
    if (parked.isPresent()) {
      answered(parked.get(), request.request(), data);
    }
    proceed(io, request, request.request().cut(data));
  }

  private static void answered(Instruction instruction, IoRequest made, long data) {
    switch (instruction) {
      case Instruction.Memory(GuestInstruction access) -> answered(access, made, data);
      case Instruction.Repeated(Repetition repetition) ->
          repetition
              .element()
              .ifPresentOrElse(
                  element -> answered(element, made, data), () -> repetition.advance(made.count()));
      case Instruction.Port _ -> {}
    }
  }

  private static void answered(GuestInstruction access, IoRequest made, long data) {
    access.answered(made.address(), !made.flags().reads(), made.cut(data));
  }

  /** Its server goes: a write to a page of the server's is made anew, the rest is all ones. */
  private void forsake(DomainIo io, PendingIo request) {
    if (request.isClaimed()) {
      io.remove(request);
      proceed(io, request, -1);
    } else {
      complete(io, request, -1);
    }
  }

  /** The vCPU goes on unless it waits for others. */
  private void proceed(DomainIo io, PendingIo request, long data) {
    VcpuIo vcpu = io.vcpu(request.vcpu());
    if (vcpu.isWaiting()) {
      return;
    }
    if (vcpu.parked().isPresent()) {
      goOn(io, request, vcpu.parked().get(), data);
    }
    if (!vcpu.isWaiting()) {
      tellStale(io, request.vcpu());
    }
  }

  private void goOn(DomainIo io, PendingIo request, Instruction instruction, long data) {
    VcpuIo vcpu = io.vcpu(request.vcpu());
    Domain domain = io.domain();
    if (domain.isDying() || domain.run().isShutDown()) {
      vcpu.finish(instruction, InstructionUnit.ended(io));
      return;
    }
    AccessOutcome outcome =
        instruction instanceof Instruction.Port(PortAccess access)
            ? InstructionUnit.emulated(access, data)
            : execute(io, request.vcpu(), instruction);
    if (!outcome.isUnfinished()) {
      vcpu.finish(instruction, outcome.after(request.server().id(), request.number()));
    }
  }

  /** A domain's first vCPU begins a hypercall. */
  public void enterHypercall(DomainId caller) {
    calling = Optional.of(caller);
  }

  /**
   * It has made it: servers are told if it took memory from its domain that they may have mapped.
   */
  public void leaveHypercall() {
    calling
        .flatMap(domains::find)
        .flatMap(domain -> domain.findFacet(DomainIo.class))
        .ifPresent(io -> tellStale(io, 0));
    calling = Optional.empty();
  }

  private void mappingsLost(DomainIo io) {
    Domain domain = io.domain();
    if (calling.filter(domain.id()::equals).isPresent()) {
      io.vcpu(0).setStale();
    } else if (domain.run().isCreationFinished()) {
      for (int vcpu = 0; vcpu < domain.run().vcpus(); vcpu++) {
        io.vcpu(vcpu).setStale();
      }
    }
  }

  private void tellStale(DomainIo io, int vcpu) {
    if (io.vcpu(vcpu).takeStale() && !io.domain().isDying()) {
      dispatch.broadcast(io, vcpu, INVALIDATE);
    }
  }

  /** A request that nobody waits for any more. */
  private void abort(DomainIo io, PendingIo request) {
    request.slot().setState(RequestSlot.NONE);
    io.remove(request);
    VcpuIo vcpu = io.vcpu(request.vcpu());
    if (!vcpu.isWaiting()) {
      vcpu.parked().ifPresent(instruction -> vcpu.finish(instruction, InstructionUnit.ended(io)));
    }
  }

  private void timePassed() {
    for (Domain domain : domains.all()) {
      domain.findFacet(DomainIo.class).ifPresent(this::checkOverdue);
    }
  }

  private void checkOverdue(DomainIo io) {
    for (PendingIo request : io.pending()) {
      if (!request.isOverdue() && io.timeout().isOverdue(clock.now() - request.since())) {
        request.setOverdue();
        io.counters().countTimeout(request.request().type());
        io.tell(IoreqNotice.TIMEOUT, request);
        if (io.timeout().action() == TimeoutPolicy.Action.CRASH) {
          io.domain()
              .crash(
                  "ioreq server %d did not answer request %d"
                      .formatted(request.server().id(), request.number()));
          abort(io, request);
        } else if (io.domain().run().controllerPauses() == 0) {
          io.domain().run().pause();
        }
      }
    }
  }
}
