package io.hypercalld.core.guest;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.MemoryAccess;
import io.hypercalld.core.guest.AccessOutcome.Verdict;
import io.hypercalld.core.memory.MachineMemory;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mType;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * One way through the pages of an access: all of it read, or all of it written. Confined to the
 * machine thread.
 */
final class AccessParts {
  private final Domain domain;
  private final GuestInstruction instruction;
  private final GuestRequest request;
  private final boolean writes;
  private final Part first;
  private final Optional<Part> second;
  private Optional<AccessOutcome> stopped = Optional.empty();
  private Verdict verdict = Verdict.DONE;
  private boolean dropped;
  private long data;

  /** The bytes of an access that lie in one page, and where they go. */
  private record Part(long gpa, int offset, int size, Landing landing) {
    /** These bytes of a number that is as long as the access. */
    long of(long number) {
      return Word.low(size, number >>> (offset * Byte.SIZE));
    }

    /** A number in the place of these bytes. */
    long inPlace(long number) {
      return Word.low(size, number) << (offset * Byte.SIZE);
    }
  }

  /** Takes every fault of the access, until one keeps it from completing. */
  AccessParts(
      Domain domain, GuestInstruction instruction, MemoryAccess.Kind kind, FaultCounts counts) {
    this.domain = domain;
    this.instruction = instruction;
    this.request = instruction.request();
    this.writes = kind == MemoryAccess.Kind.WRITE;
    PageFaults faults = new PageFaults(domain, counts);
    int here = Math.min(request.size(), PageSize.BYTES_4K - inPage(request.gpa().value()));
    this.first = land(faults, kind, 0, here);
    this.second =
        here < request.size() && stopped.isEmpty()
            ? Optional.of(land(faults, kind, here, request.size() - here))
            : Optional.empty();
  }

  private Part land(PageFaults faults, MemoryAccess.Kind kind, int offset, int size) {
    long gpa = request.gpa().value() + offset;
    var attempt = new MemoryAccess.Attempt(kind, gpa, request.vcpu());
    Landing landing = faults.land(new Gfn(gpa >>> PageSize.SHIFT_4K), attempt);
    note(landing);
    return new Part(gpa, offset, size, landing);
  }

  private static int inPage(long gpa) {
    return (int) (gpa & (PageSize.BYTES_4K - 1));
  }

  private void note(Landing landing) {
    Verdict own =
        switch (landing) {
          case Landing.Frame _ -> Verdict.DONE;
          case Landing.Emulated _ -> Verdict.EMULATED;
          case Landing.Dropped _ -> Verdict.DISCARDED;
          case Landing.Stopped(var outcome) -> {
            stopped = Optional.of(outcome);
            yield outcome.outcome();
          }
        };
    verdict = own.compareTo(verdict) > 0 ? own : verdict;
  }

  /** Why it does not complete; empty where it does. */
  Optional<AccessOutcome> stopped() {
    return stopped;
  }

  /** How it ends if nothing else intervenes: by the part that is furthest from memory. */
  Verdict verdict() {
    return dropped ? Verdict.DISCARDED : verdict;
  }

  /** What was read, as a little-endian number. */
  long data() {
    return data;
  }

  /**
   * Moves the bytes, once nothing stops it.
   *
   * @param number what is written; of no meaning for a read
   * @return why an emulator keeps it from completing; empty where none does
   */
  Optional<AccessOutcome> move(MachineMemory memory, Emulation emulation, long number) {
    Optional<AccessOutcome> ended = move(memory, emulation, first, number);
    return ended.isEmpty() && second.isPresent()
        ? move(memory, emulation, second.get(), number)
        : ended;
  }

  private Optional<AccessOutcome> move(
      MachineMemory memory, Emulation emulation, Part part, long number) {
    return switch (part.landing) {
      case Landing.Frame(long page) -> moveFrame(memory, page + inPage(part.gpa), part, number);
      case Landing.Emulated(P2mType type) -> emulate(emulation, type, part, number);
      case Landing.Dropped _ -> lose(part);
      case Landing.Stopped(var outcome) -> Optional.of(outcome);
    };
  }

  // Registers of devices are mapped, but no device is behind them.
  private Optional<AccessOutcome> moveFrame(
      MachineMemory memory, long maddr, Part part, long number) {
    boolean ram = memory.isRam(maddr);
    if (!writes) {
      data |= part.inPlace(ram ? memory.readNumber(maddr, part.size) : -1);
    } else if (ram) {
      memory.writeNumber(maddr, part.size, part.of(number));
    }
    return Optional.empty();
  }

  private Optional<AccessOutcome> emulate(
      Emulation emulation, P2mType type, Part part, long number) {
    long written = writes ? part.of(number) : 0;
    Emulation.Answer answer = answer(emulation, part, access(part, type, written));
    if (answer instanceof Emulation.Completed(long loaded)) {
      data |= writes ? 0 : part.inPlace(loaded);
      return Optional.empty();
    }
    if (answer instanceof Emulation.Dropped) {
      dropped = true;
      return lose(part);
    }
    return Optional.of(unanswered(answer));
  }

  private static AccessOutcome unanswered(Emulation.Answer answer) {
    return switch (answer) {
      case Emulation.Waiting(int server, long waited) -> AccessOutcome.waiting(server, waited);
      case Emulation.Again(String why) -> AccessOutcome.stopped(Verdict.RETRY, why);
      case Emulation.Unhandled(String why) -> AccessOutcome.stopped(Verdict.FAULT, "#GP: " + why);
      case Emulation.Completed _, Emulation.Dropped _ ->
          throw new IllegalStateException("it is complete");
    };
  }

  private Emulation.MmioAccess access(Part part, P2mType type, long written) {
    return new Emulation.MmioAccess(
        domain, request.vcpu(), part.gpa, part.size, writes, written, type);
  }

  private Emulation.Answer answer(Emulation emulation, Part part, Emulation.MmioAccess access) {
    OptionalLong known = instruction.answer(part.gpa, writes);
    if (known.isEmpty()) {
      return emulation.access(access);
    }
    emulation.completed(access);
    return new Emulation.Completed(known.getAsLong());
  }

  private Optional<AccessOutcome> lose(Part part) {
    instruction.lose(part.gpa, part.size);
    return Optional.empty();
  }
}
