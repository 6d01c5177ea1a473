package io.hypercalld.ioreq.dispatch;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.MemoryAccess;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.guest.AccessHandling;
import io.hypercalld.core.guest.AccessOutcome;
import io.hypercalld.core.guest.AccessOutcome.Verdict;
import io.hypercalld.core.guest.Emulation;
import io.hypercalld.core.guest.GuestAccess;
import io.hypercalld.core.guest.GuestInstruction;
import io.hypercalld.core.guest.GuestMemory;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mType;
import io.hypercalld.ioreq.page.IoRequest;
import io.hypercalld.ioreq.page.RequestType;
import io.hypercalld.ioreq.server.IoServer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Optional;

/**
 * Executes one instruction as far as it comes. Confined to the machine thread.
 *
 * @see "xen/arch/x86/hvm/emulate.c; xen/arch/x86/hvm/intercept.c, hvm_process_io_intercept"
 */
final class InstructionUnit {
  private final GuestAccess memory;
  private final GuestMemory copies;
  private final IoDispatch dispatch;

  InstructionUnit(GuestAccess memory, GuestMemory copies, IoDispatch dispatch) {
    this.memory = memory;
    this.copies = copies;
    this.dispatch = dispatch;
  }

  AccessOutcome execute(DomainIo io, Instruction instruction) {
    return switch (instruction) {
      case Instruction.Memory(GuestInstruction access) -> memory(io, access);
      case Instruction.Port(PortAccess access) -> port(io, access);
      case Instruction.Repeated(Repetition repetition) -> repeat(io, repetition);
    };
  }

  private AccessOutcome memory(DomainIo io, GuestInstruction access) {
    AccessOutcome outcome = memory.perform(io.domain(), access);
    if (access.losesSome() && !outcome.isUnfinished() && outcome.outcome() != Verdict.FAULT) {
      access.lost().forEach((gpa, size) -> io.noteLost(access.request().vcpu(), gpa, size));
    }
    return outcome;
  }

  private AccessOutcome port(DomainIo io, PortAccess access) {
    Emulation.Answer answer = dispatch.port(io, access);
    return switch (answer) {
      case Emulation.Completed(long data) -> emulated(access, data);
      case Emulation.Dropped _ -> emulated(access, 0);
      default -> stopped(io, answer, true);
    };
  }

  /** How an access to a port ends. */
  static AccessOutcome emulated(PortAccess access, long data) {
    return AccessOutcome.completed(
        Verdict.EMULATED, access.reads() ? Optional.of(new Word(data)) : Optional.empty());
  }

  /** How what no server completes ends; a port's instruction has no exception to say so. */
  private static AccessOutcome stopped(DomainIo io, Emulation.Answer answer, boolean port) {
    return switch (answer) {
      case Emulation.Waiting(int server, long number) -> AccessOutcome.waiting(server, number);
      case Emulation.Again(String why) -> AccessOutcome.stopped(Verdict.RETRY, why);
      case Emulation.Unhandled(String why) -> {
        if (port) {
          io.domain().crash(why);
          yield ended(io);
        }
        yield AccessOutcome.stopped(Verdict.FAULT, "#GP: " + why);
      }
      case Emulation.Completed _, Emulation.Dropped _ ->
          throw new IllegalStateException("it is complete");
    };
  }

  /** How it ends with its domain. */
  static AccessOutcome ended(DomainIo io) {
    Domain domain = io.domain();
    return AccessOutcome.stopped(
        Verdict.FAULT,
        domain.run().isShutDown() && !domain.run().crashReason().isEmpty()
            ? "%s crashed: %s".formatted(domain.id(), domain.run().crashReason())
            : "%s has ended".formatted(domain.id()));
  }

  private AccessOutcome repeat(DomainIo io, Repetition repetition) {
    while (!repetition.isDone()) {
      IoRequest chunk = repetition.chunk();
      Optional<AccessOutcome> stopped =
          isForServers(io, chunk) ? ask(io, repetition, chunk) : single(io, repetition, chunk);
      if (stopped.isPresent()) {
        return stopped.get();
      }
    }
    return AccessOutcome.completed(
        repetition.isEmulated() ? Verdict.EMULATED : Verdict.DONE, Optional.empty());
  }

  /** Whether a server is asked for the elements at once, or nobody is as none has all of them. */
  private static boolean isForServers(DomainIo io, IoRequest chunk) {
    Domain domain = io.domain();
    if (chunk.type() == RequestType.PIO) {
      return true;
    }
    if (IoApicPage.contains(domain, chunk.address())) {
      return false;
    }
    var found = domain.physicalMap().orElseThrow().query(page(chunk));
    var kind = chunk.flags().reads() ? MemoryAccess.Kind.READ : MemoryAccess.Kind.WRITE;
    return AccessHandling.of(found, kind) == AccessHandling.EMULATE
        && (P2mType.IOREQ.contains(found.type())
            ? IoDispatch.owner(io, found.type()).isPresent()
            : IoDispatch.touches(io, chunk));
  }

  private static Gfn page(IoRequest chunk) {
    return new Gfn(chunk.address() >>> PageSize.SHIFT_4K);
  }

  /** Empty where nobody answers, so that all ones were read, or nothing was written. */
  private Optional<AccessOutcome> ask(DomainIo io, Repetition repetition, IoRequest chunk) {
    repetition.noteEmulated();
    int vcpu = repetition.access().vcpu();
    Optional<IoServer> owner =
        repetition.isPort()
            ? Optional.empty()
            : IoDispatch.owner(io, io.domain().p2m().lookup(page(chunk)).type());
    Emulation.Answer answer = dispatch.repeated(io, vcpu, chunk, owner);
    if (!(answer instanceof Emulation.Completed)) {
      return Optional.of(stopped(io, answer, repetition.isPort()));
    }
    for (long element = 0; element < chunk.count(); element++) {
      deposit(io, repetition, -1);
      repetition.advance(1);
    }
    return Optional.empty();
  }

  /** One element, of memory or of a device of the hypervisor's. */
  private Optional<AccessOutcome> single(DomainIo io, Repetition repetition, IoRequest chunk) {
    Word value = new Word(chunk.flags().reads() ? 0 : fetch(io, chunk));
    AccessOutcome outcome = memory(io, repetition.element(value));
    if (outcome.isUnfinished() || outcome.outcome() == Verdict.FAULT) {
      return Optional.of(outcome);
    }
    if (outcome.outcome() != Verdict.DONE) {
      repetition.noteEmulated();
    }
    outcome.data().ifPresent(data -> deposit(io, repetition, data.value()));
    repetition.advance(1);
    return Optional.empty();
  }

  /** The element that is to be written; all ones where there is no memory to take it from. */
  private long fetch(DomainIo io, IoRequest chunk) {
    if (!chunk.flags().pointer()) {
      return chunk.data();
    }
    try {
      byte[] bytes = copies.read(io.domain(), chunk.data(), chunk.size());
      return ByteBuffer.wrap(Arrays.copyOf(bytes, Long.BYTES))
          .order(ByteOrder.LITTLE_ENDIAN)
          .getLong();
    } catch (Refusal _) {
      return chunk.cut(-1);
    }
  }

  /** Stores an element that was read; it is lost where there is no memory to take it. */
  private void deposit(DomainIo io, Repetition repetition, long value) {
    RepeatedAccess access = repetition.access();
    if (!access.reads()) {
      return;
    }
    int size = access.elements().size();
    long gpa = repetition.ram().orElseThrow().value();
    byte[] bytes =
        ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array();
    try {
      copies.write(io.domain(), gpa, Arrays.copyOf(bytes, size));
    } catch (Refusal _) {
      io.noteLost(access.vcpu(), gpa, size);
    }
  }
}
