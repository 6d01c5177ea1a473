package io.hypercalld.core.guest;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.MemoryAccess;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.guest.AccessOutcome.Verdict;
import io.hypercalld.core.memory.MachineMemory;
import java.util.Arrays;
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
  private final Emulation emulation;

  public GuestAccess(MachineMemory memory, Emulation emulation) {
    this.memory = memory;
    this.emulation = emulation;
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
    if (domain.isVcpuPaused(request.vcpu())) {
      return AccessOutcome.stopped(
          Verdict.PENDING, "vCPU %d waits for an event".formatted(request.vcpu()));
    }
    return switch (request.op()) {
      case READ -> read(domain, request);
      case WRITE -> write(domain, request);
      case ADD -> add(domain, request);
    };
  }

  private static void check(Domain domain, GuestRequest request) {
    if (request.vcpu() < 0 || request.vcpu() >= domain.vcpus()) {
      throw Refusal.of(Errno.ENOENT, "%s has no vCPU %d", domain.id(), request.vcpu());
    }
    if (domain.findP2m().isEmpty()) {
      throw Refusal.of(Errno.EOPNOTSUPP, "%s has no P2M", domain.id());
    }
    if (domain.isDying() || domain.isShutDown()) {
      throw Refusal.of(Errno.EINVAL, "%s has ended", domain.id());
    }
    int size = request.size();
    long gpa = request.gpa().value();
    if (size < 1 || size > Long.BYTES || Integer.bitCount(size) != 1) {
      throw Refusal.of(Errno.EINVAL, "no instruction accesses %d bytes", size);
    }
    if (Long.compareUnsigned(gpa + size - 1, gpa) < 0) {
      throw Refusal.of(Errno.EINVAL, "%d bytes at %s wrap around", size, request.gpa());
    }
    if (size < Long.BYTES && request.data().value() >>> (size * Byte.SIZE) != 0) {
      throw Refusal.of(Errno.EINVAL, "%s has more than %d bytes", request.data(), size);
    }
  }

  private AccessOutcome read(Domain domain, GuestRequest request) {
    var parts = new AccessParts(domain, request, MemoryAccess.Kind.READ, faults);
    byte[] bytes = new byte[request.size()];
    return parts
        .stopped()
        .or(() -> parts.move(memory, emulation, bytes))
        .orElseGet(() -> completed(parts.verdict(), bytes));
  }

  private AccessOutcome write(Domain domain, GuestRequest request) {
    var parts = new AccessParts(domain, request, MemoryAccess.Kind.WRITE, faults);
    byte[] bytes = AccessParts.bytes(request.data().value());
    return parts
        .stopped()
        .or(() -> parts.move(memory, emulation, bytes))
        .orElseGet(() -> AccessOutcome.completed(parts.verdict(), Optional.empty()));
  }

  // The faults of the write come first, as it may be given other frames than a read would find.
  private AccessOutcome add(Domain domain, GuestRequest request) {
    var target = new AccessParts(domain, request, MemoryAccess.Kind.WRITE, faults);
    if (target.stopped().isPresent()) {
      return target.stopped().get();
    }
    var source = new AccessParts(domain, request, MemoryAccess.Kind.READ, faults);
    byte[] bytes = new byte[request.size()];
    Optional<AccessOutcome> ended =
        source.stopped().or(() -> source.move(memory, emulation, bytes));
    if (ended.isPresent()) {
      return ended.get();
    }
    byte[] sum = AccessParts.bytes(AccessParts.number(bytes) + request.data().value());
    byte[] stored = Arrays.copyOf(sum, request.size());
    return target
        .move(memory, emulation, stored)
        .orElseGet(() -> completed(target.verdict(), stored));
  }

  private static AccessOutcome completed(Verdict verdict, byte[] bytes) {
    return AccessOutcome.completed(verdict, Optional.of(new Word(AccessParts.number(bytes))));
  }
}
