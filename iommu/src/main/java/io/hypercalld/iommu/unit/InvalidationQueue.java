package io.hypercalld.iommu.unit;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.memory.MachineMemory;
import io.hypercalld.iommu.vtd.Invalidation;
import io.hypercalld.iommu.vtd.InvalidationDescriptor;
import io.hypercalld.iommu.vtd.InvalidationQueueFields;
import io.hypercalld.iommu.vtd.QueueError;
import io.hypercalld.iommu.vtd.Register;
import java.util.Optional;

/**
 * Fetches invalidation descriptors from a ring in memory and carries them out. Confined to the
 * machine thread.
 *
 * <p>Each descriptor has taken effect before the next is fetched, so a wait needs no waiting and a
 * fence no fencing. A bad descriptor stops the queue with the head on it; clearing FSTS.IQE makes
 * hardware fetch it again.
 *
 * @see "VT-d §6.5.2, §6.5.2.10"
 */
final class InvalidationQueue implements Digestible {
  private final RegisterFile registers;
  private final MachineMemory memory;
  private final Circuit circuit;
  private final TranslationCaches caches;
  private final FaultLog log;
  private final EventLine completion;
  private final InterruptRemapper interrupts;

  private boolean enabled;
  private boolean running;

  /** IQA as it was when the queue was enabled. */
  private long ring;

  InvalidationQueue(
      Circuit circuit,
      TranslationCaches caches,
      InterruptRemapper interrupts,
      FaultLog log,
      EventLine completion) {
    this.circuit = circuit;
    this.registers = circuit.registers();
    this.memory = circuit.memory();
    this.caches = caches;
    this.interrupts = interrupts;
    this.log = log;
    this.completion = completion;
    if (circuit.capabilities().queuedInvalidation()) {
      attach();
    }
  }

  private void attach() {
    for (Register register :
        new Register[] {Register.IQH, Register.IQT, Register.IQA, Register.ICS, Register.IQERCD}) {
      registers.declare(register, register.kinds());
    }
    registers.onWrite(Register.IQT, _ -> run());
    registers.onWrite(Register.IQA, _ -> addressWritten());
    registers.onWriteHigh(Register.IQA, _ -> addressWritten());
    registers.onWrite(Register.ICS, _ -> completionWritten());
  }

  boolean isEnabled() {
    return enabled;
  }

  /** QIE: the ring is taken into use from its start, or given up. */
  void enable(boolean on) {
    if (on == enabled) {
      return;
    }
    enabled = on;
    ring = registers.get(Register.IQA);
    registers.set(Register.IQH, 0);
    run();
  }

  private void addressWritten() {
    if (!enabled) {
      registers.set(Register.IQH, 0);
      registers.set(Register.IQT, 0);
    }
  }

  private void completionWritten() {
    if (!InvalidationQueueFields.IWC.isSet(registers.get(Register.ICS))) {
      completion.settle();
    }
  }

  /** Software may have cleared the error that stopped the queue. */
  void faultStatusWritten() {
    if (!log.hasQueueError()) {
      registers.set(
          Register.IQERCD, InvalidationQueueFields.IQEI.clear(registers.get(Register.IQERCD)));
      run();
    }
  }

  /**
   * Fetches up to the tail. A message that a wait sends may bring software back in here: the inner
   * call leaves the work to the outer one, which reads the registers anew for each descriptor.
   */
  private void run() {
    if (running) {
      return;
    }
    running = true;
    try {
      boolean goesOn = true;
      while (goesOn && enabled && !log.hasQueueError() && head() != tail()) {
        goesOn = step();
      }
    } finally {
      running = false;
    }
  }

  /** Deals with one descriptor; false where the unit stays in front of it. */
  private boolean step() {
    int bytes = InvalidationQueueFields.bytes(ring);
    long address = InvalidationQueueFields.base(ring) + head();
    if (InvalidationQueueFields.DW.isSet(ring)) {
      stop(QueueError.DESCRIPTOR_WIDTH_INVALID);
    } else if (tail() >= bytes) {
      stop(QueueError.TAIL_BEYOND_RING);
    } else if (!memory.isRam(address)) {
      stop(QueueError.DESCRIPTOR_UNREADABLE);
    } else {
      return execute(fetch(address), (head() + InvalidationDescriptor.BYTES) % bytes);
    }
    return true;
  }

  private Invalidation fetch(long address) {
    return new InvalidationDescriptor(
            memory.readWord(address), memory.readWord(address + Long.BYTES))
        .decode(circuit.capabilities());
  }

  private boolean execute(Invalidation command, long next) {
    Optional<Malfunction.Effect> malfunction = circuit.malfunctions().strike(command);
    if (malfunction.isEmpty()) {
      carryOut(command, next);
      return true;
    }
    switch (malfunction.get()) {
      case INVALIDATION_TIMEOUT -> {}
      case QUEUE_ERROR -> stop(QueueError.DESCRIPTOR_UNREADABLE);
      case DROP_INVALIDATION -> registers.set(Register.IQH, next);
    }
    return malfunction.get() == Malfunction.Effect.DROP_INVALIDATION;
  }

  private void carryOut(Invalidation command, long next) {
    switch (command) {
      case Invalidation.OfContexts contexts -> {
        caches.carryOut(contexts);
        registers.set(Register.IQH, next);
      }
      case Invalidation.OfTranslations translations -> {
        caches.carryOut(translations);
        registers.set(Register.IQH, next);
      }
      case Invalidation.OfPasids pasids -> {
        caches.carryOut(pasids);
        registers.set(Register.IQH, next);
      }
      case Invalidation.OfPasidTranslations translations -> {
        caches.carryOut(translations);
        registers.set(Register.IQH, next);
      }
      case Invalidation.OfInterrupts entries -> {
        interrupts.cache().carryOut(entries);
        circuit.counters().interruptInvalidations++;
        registers.set(Register.IQH, next);
      }
      case Invalidation.DeviceTranslations _, Invalidation.PageGroupResponse _ ->
          stop(QueueError.DESCRIPTOR_TYPE_INVALID);
      case Invalidation.Wait wait -> complete(wait, next);
      case Invalidation.Malformed(QueueError error) -> stop(error);
    }
  }

  private void complete(Invalidation.Wait wait, long next) {
    if (wait.writesStatus()) {
      if (!memory.isRam(wait.statusAddress())) {
        stop(QueueError.DESCRIPTOR_RESERVED);
        return;
      }
      memory.writeInt(wait.statusAddress(), wait.statusData());
    }
    circuit.counters().waits++;
    registers.set(Register.IQH, next);
    if (wait.interrupt()) {
      signal();
    }
  }

  private void signal() {
    long status = registers.get(Register.ICS);
    if (!InvalidationQueueFields.IWC.isSet(status)) {
      registers.set(Register.ICS, InvalidationQueueFields.IWC.set(status));
      completion.raise();
    }
  }

  private void stop(QueueError error) {
    circuit.counters().countQueueError(error);
    registers.set(
        Register.IQERCD,
        InvalidationQueueFields.IQEI.put(registers.get(Register.IQERCD), error.code()));
    log.raiseQueueError();
  }

  private long head() {
    return registers.get(Register.IQH);
  }

  private long tail() {
    return registers.get(Register.IQT);
  }

  /** What the queue is doing. */
  QueueState state() {
    long address = enabled ? ring : registers.get(Register.IQA);
    return new QueueState(
        enabled,
        InvalidationQueueFields.base(address),
        InvalidationQueueFields.bytes(address) / InvalidationDescriptor.BYTES,
        (int) head() / InvalidationDescriptor.BYTES,
        (int) tail() / InvalidationDescriptor.BYTES,
        log.hasQueueError()
            ? QueueError.of(InvalidationQueueFields.IQEI.getInt(registers.get(Register.IQERCD)))
            : Optional.empty());
  }

  /** After a reset the queue is off. */
  void reset() {
    enabled = false;
    ring = 0;
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("invalidation-queue").put(enabled).put(ring);
  }
}
