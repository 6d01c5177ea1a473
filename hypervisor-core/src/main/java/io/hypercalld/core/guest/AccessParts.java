package io.hypercalld.core.guest;

import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.MemoryAccess;
import io.hypercalld.core.guest.AccessOutcome.Verdict;
import io.hypercalld.core.memory.MachineMemory;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * One way through the pages of an access: all of it read, or all of it written. Confined to the
 * machine thread.
 */
final class AccessParts {
  private static final byte ALL_ONES = (byte) 0xff;

  private final List<Part> parts = new ArrayList<>(2);
  private final Domain domain;
  private final GuestInstruction instruction;
  private final GuestRequest request;
  private final boolean writes;
  private boolean dropped;

  /** The bytes of an access that lie in one page, and where they go. */
  private record Part(long gpa, int offset, int size, Landing landing) {}

  /** Takes every fault of the access, until one keeps it from completing. */
  AccessParts(
      Domain domain, GuestInstruction instruction, MemoryAccess.Kind kind, FaultCounts counts) {
    this.domain = domain;
    this.instruction = instruction;
    this.request = instruction.request();
    this.writes = kind == MemoryAccess.Kind.WRITE;
    PageFaults faults = new PageFaults(domain, counts);
    int done = 0;
    while (done < request.size() && stopped().isEmpty()) {
      long gpa = request.gpa().value() + done;
      int inPage = (int) (gpa & (PageSize.BYTES_4K - 1));
      int size = Math.min(request.size() - done, PageSize.BYTES_4K - inPage);
      var attempt = new MemoryAccess.Attempt(kind, gpa, request.vcpu());
      Landing landing = faults.land(new Gfn(gpa >>> PageSize.SHIFT_4K), attempt);
      parts.add(new Part(gpa, done, size, within(landing, inPage)));
      done += size;
    }
  }

  private static Landing within(Landing landing, int inPage) {
    return landing instanceof Landing.Frame(long maddr)
        ? new Landing.Frame(maddr + inPage)
        : landing;
  }

  /** Why it does not complete; empty where it does. */
  Optional<AccessOutcome> stopped() {
    return parts.isEmpty() || !(parts.getLast().landing instanceof Landing.Stopped(var outcome))
        ? Optional.empty()
        : Optional.of(outcome);
  }

  /** How it ends if nothing else intervenes: by the part that is furthest from memory. */
  Verdict verdict() {
    return dropped ? Verdict.DISCARDED : worst();
  }

  private Verdict worst() {
    Verdict worst = Verdict.DONE;
    for (Part part : parts) {
      Verdict verdict =
          switch (part.landing) {
            case Landing.Frame _ -> Verdict.DONE;
            case Landing.Emulated _ -> Verdict.EMULATED;
            case Landing.Dropped _ -> Verdict.DISCARDED;
            case Landing.Stopped(var outcome) -> outcome.outcome();
          };
      worst = verdict.compareTo(worst) > 0 ? verdict : worst;
    }
    return worst;
  }

  /**
   * Moves the bytes, once nothing stops it.
   *
   * @param bytes of the access: filled by a read, stored by a write
   * @return why an emulator keeps it from completing; empty where none does
   */
  Optional<AccessOutcome> move(MachineMemory memory, Emulation emulation, byte[] bytes) {
    for (Part part : parts) {
      Optional<AccessOutcome> ended =
          switch (part.landing) {
            case Landing.Frame(long maddr) -> moveFrame(memory, maddr, part, bytes);
            case Landing.Emulated(P2mType type) -> emulate(emulation, type, part, bytes);
            case Landing.Dropped _ -> lose(part);
            case Landing.Stopped(var outcome) -> Optional.of(outcome);
          };
      if (ended.isPresent()) {
        return ended;
      }
    }
    return Optional.empty();
  }

  // Registers of devices are mapped, but no device is behind them.
  private Optional<AccessOutcome> moveFrame(
      MachineMemory memory, long maddr, Part part, byte[] bytes) {
    boolean ram = memory.isRam(maddr);
    if (ram && writes) {
      memory.write(maddr, bytes, part.offset, part.size);
    } else if (ram) {
      memory.read(maddr, bytes, part.offset, part.size);
    } else if (!writes) {
      Arrays.fill(bytes, part.offset, part.offset + part.size, ALL_ONES);
    }
    return Optional.empty();
  }

  private Optional<AccessOutcome> emulate(
      Emulation emulation, P2mType type, Part part, byte[] bytes) {
    long data =
        writes ? number(Arrays.copyOfRange(bytes, part.offset, part.offset + part.size)) : 0;
    var access =
        new Emulation.MmioAccess(domain, request.vcpu(), part.gpa, part.size, writes, data, type);
    Emulation.Answer answered =
        instruction
            .answer(part.gpa, writes)
            .map(answer -> completed(emulation, access, answer))
            .orElseGet(() -> emulation.access(access));
    return switch (answered) {
      case Emulation.Completed(long answer) -> {
        if (!writes) {
          System.arraycopy(bytes(answer), 0, bytes, part.offset, part.size);
        }
        yield Optional.empty();
      }
      case Emulation.Dropped _ -> {
        dropped = true;
        yield lose(part);
      }
      case Emulation.Waiting(int server, long number) ->
          Optional.of(AccessOutcome.waiting(server, number));
      case Emulation.Again(String why) -> Optional.of(AccessOutcome.stopped(Verdict.RETRY, why));
      case Emulation.Unhandled(String why) ->
          Optional.of(AccessOutcome.stopped(Verdict.FAULT, "#GP: " + why));
    };
  }

  private static Emulation.Answer completed(
      Emulation emulation, Emulation.MmioAccess access, long answer) {
    emulation.completed(access);
    return new Emulation.Completed(answer);
  }

  private Optional<AccessOutcome> lose(Part part) {
    instruction.lose(part.gpa, part.size);
    return Optional.empty();
  }

  /** At most eight bytes as a little-endian number. */
  static long number(byte[] bytes) {
    long number = 0;
    for (int i = bytes.length - 1; i >= 0; i--) {
      number = (number << Byte.SIZE) | Byte.toUnsignedLong(bytes[i]);
    }
    return number;
  }

  /** The eight bytes of a little-endian number. */
  static byte[] bytes(long number) {
    byte[] bytes = new byte[Long.BYTES];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) (number >>> (i * Byte.SIZE));
    }
    return bytes;
  }
}
