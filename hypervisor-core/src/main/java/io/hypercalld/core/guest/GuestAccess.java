package io.hypercalld.core.guest;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.MemoryAccess;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.guest.AccessOutcome.Verdict;
import io.hypercalld.core.memory.MachineMemory;
import java.util.Optional;

/**
 * Memory as a guest's instructions see it. Confined to the machine thread.
 *
 * <p>A vCPU of a domain that the toolstack paused makes its access as if it were single-stepped;
 * one that waits for an event does not.
 */
/*
 * An access that crosses a page boundary has two parts. As on the processor, all faults of all parts
 * are taken before the first byte moves; an emulator then sees one access for each page. What is
 * added to is read and written back, which are two accesses to an emulator and one to memory.
 */
public final class GuestAccess {
  private final FaultCounts faults = new FaultCounts();
  private final MachineMemory memory;
  private final InterceptedEmulation emulation = new InterceptedEmulation();

  /** Accesses to this memory, with nobody behind what is none. */
  public GuestAccess(MachineMemory memory) {
    this.memory = memory;
  }

  /** Has somebody answer from now on where no memory does. */
  public void emulateBy(Emulation newEmulation) {
    emulation.leaveRestTo(newEmulation);
  }

  /** Has the hypervisor's own devices answer from now on, before anybody else. */
  public void answerFirst(InternalDevices devices) {
    emulation.add(devices);
  }

  /** Accesses that an entry did not let through. */
  public FaultCounts faults() {
    return faults;
  }

  /**
   * Makes an access.
   *
   * @throws Refusal ENOENT no such vCPU; EINVAL a size other than 1, 2, 4 or 8, data that is
   *     larger, an address that wraps, or a domain that is dying or has ended; EOPNOTSUPP a PV
   *     domain
   */
  public AccessOutcome perform(Domain domain, GuestRequest request) {
    check(domain, request);
    return perform(domain, new GuestInstruction(request));
  }

  /** Makes an access that {@link #check} has nothing against, or goes on with one that waited. */
  public AccessOutcome perform(Domain domain, GuestInstruction instruction) {
    GuestRequest request = instruction.request();
    if (domain.run().isVcpuPaused(request.vcpu())) {
      return AccessOutcome.stopped(
          Verdict.PENDING, "vCPU %d waits for an event".formatted(request.vcpu()));
    }
    if (domain.logDirty().isUnfinished()) {
      return AccessOutcome.stopped(
          Verdict.PENDING, "%s is paused until its bitmap is read".formatted(domain.id()));
    }
    return switch (request.op()) {
      case READ -> read(domain, instruction);
      case WRITE -> write(domain, instruction);
      case ADD -> add(domain, instruction);
    };
  }

  /**
   * Refuses a vCPU that can execute no instruction.
   *
   * @throws Refusal ENOENT no such vCPU; EOPNOTSUPP a PV domain; EINVAL a domain that is dying or
   *     has ended
   */
  public static void requireVcpu(Domain domain, int vcpu) {
    if (vcpu < 0 || vcpu >= domain.run().vcpus()) {
      throw Refusal.of(Errno.ENOENT, "%s has no vCPU %d", domain.id(), vcpu);
    }
    if (domain.findP2m().isEmpty()) {
      throw Refusal.of(Errno.EOPNOTSUPP, "%s has no P2M", domain.id());
    }
    if (domain.isDying() || domain.run().isShutDown()) {
      throw Refusal.of(Errno.EINVAL, "%s has ended", domain.id());
    }
  }

  /**
   * Refuses what no vCPU does.
   *
   * @throws Refusal as {@link #perform(Domain, GuestRequest)}
   */
  public static void check(Domain domain, GuestRequest request) {
    requireVcpu(domain, request.vcpu());
    int size = request.size();
    long gpa = request.gpa().value();
    if (size < 1 || size > Long.BYTES || Integer.bitCount(size) != 1) {
      throw Refusal.of(Errno.EINVAL, "no instruction accesses %d bytes", size);
    }
    if (Long.compareUnsigned(gpa + size - 1, gpa) < 0) {
      throw Refusal.of(Errno.EINVAL, "%d bytes at %s wrap around", size, request.gpa());
    }
    if (request.cut(request.data().value()) != request.data().value()) {
      throw Refusal.of(Errno.EINVAL, "%s has more than %d bytes", request.data(), size);
    }
  }

  private AccessOutcome read(Domain domain, GuestInstruction instruction) {
    var parts = new AccessParts(domain, instruction, MemoryAccess.Kind.READ, faults);
    Optional<AccessOutcome> ended = move(parts, 0);
    return ended.isPresent() ? ended.get() : completed(parts.verdict(), parts.data());
  }

  private AccessOutcome write(Domain domain, GuestInstruction instruction) {
    var parts = new AccessParts(domain, instruction, MemoryAccess.Kind.WRITE, faults);
    Optional<AccessOutcome> ended = move(parts, instruction.request().data().value());
    return ended.isPresent()
        ? ended.get()
        : AccessOutcome.completed(parts.verdict(), Optional.empty());
  }

  // The faults of the write come first, as it may be given other frames than a read would find.
  private AccessOutcome add(Domain domain, GuestInstruction instruction) {
    var target = new AccessParts(domain, instruction, MemoryAccess.Kind.WRITE, faults);
    if (target.stopped().isPresent()) {
      return target.stopped().get();
    }
    if (instruction.loaded().isEmpty()) {
      var source = new AccessParts(domain, instruction, MemoryAccess.Kind.READ, faults);
      Optional<AccessOutcome> ended = move(source, 0);
      if (ended.isPresent()) {
        return ended.get();
      }
      instruction.loaded(source.data());
    }
    long number = instruction.loaded().getAsLong() + instruction.request().data().value();
    long stored = instruction.request().cut(number);
    Optional<AccessOutcome> ended = move(target, stored);
    return ended.isPresent() ? ended.get() : completed(target.verdict(), stored);
  }

  private Optional<AccessOutcome> move(AccessParts parts, long number) {
    return parts.stopped().isPresent() ? parts.stopped() : parts.move(memory, emulation, number);
  }

  private static AccessOutcome completed(Verdict verdict, long data) {
    return AccessOutcome.completed(verdict, Optional.of(new Word(data)));
  }
}
