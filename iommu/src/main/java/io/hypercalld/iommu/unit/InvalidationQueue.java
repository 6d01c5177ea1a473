package io.hypercalld.iommu.unit;

import io.hypercalld.core.bits.BitField;
import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.memory.PhysicalMemory;
import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.vtd.Invalidation;
import io.hypercalld.iommu.vtd.InvalidationDescriptor;
import io.hypercalld.iommu.vtd.InvalidationQueueFields;
import io.hypercalld.iommu.vtd.QueueError;
import io.hypercalld.iommu.vtd.QueueMode;
import io.hypercalld.iommu.vtd.Register;
import java.util.Optional;

/**
 * Fetches invalidation descriptors from a ring in memory and carries them out. Confined to the
 * machine thread.
 *
 * <p>Each descriptor has taken effect before the next is fetched, so a wait needs no waiting and a
 * fence no fencing. A bad descriptor stops the queue with the head on it; clearing FSTS.IQE makes
 * hardware fetch it again. A device that does not answer is noticed by what waits for it: the next
 * wait is given up, the head behind it, and the queue stops until FSTS.ITE is cleared.
 *
 * @see "VT-d §6.5.2, §6.5.2.10, §6.5.2.11"
 */
final class InvalidationQueue implements Digestible {
  private static final int WIDE_ALIGNMENT = InvalidationDescriptor.WIDE_BYTES - 1;

  private final RegisterFile registers;
  private final PhysicalMemory memory;
  private final Circuit circuit;
  private final InvalidationCommands commands;
  private final FaultLog log;
  private final CompletionStatus completion;

  private boolean enabled;
  private boolean running;
  private boolean scalable;

  /** IQA as it was when the queue was enabled. */
  private long ring;

  /** A device that owes an answer. */
  private Optional<SourceId> overdue = Optional.empty();

  InvalidationQueue(
      Circuit circuit, InvalidationCommands commands, FaultLog log, EventLine completion) {
    this.circuit = circuit;
    this.registers = circuit.registers();
    this.memory = circuit.memory();
    this.commands = commands;
    this.log = log;
    this.completion = new CompletionStatus(circuit, completion);
    if (circuit.capabilities().queuedInvalidation()) {
      attach();
    }
  }

  private void attach() {
    for (Register register :
        new Register[] {Register.IQH, Register.IQT, Register.IQA, Register.IQERCD}) {
      registers.declare(register, register.kinds());
    }
    registers.onWrite(Register.IQT, _ -> run());
    registers.onWrite(Register.IQA, _ -> addressWritten());
    registers.onWriteHigh(Register.IQA, _ -> addressWritten());
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
    ring = circuit.settings().latched(registers.get(Register.IQA));
    overdue = Optional.empty();
    registers.set(Register.IQH, 0);
    run();
  }

  /** Goes on where the registers say that the queue stood; fetches nothing yet. */
  void goOn(boolean on) {
    enabled = on;
    ring = circuit.settings().latched(registers.get(Register.IQA));
    overdue = Optional.empty();
  }

  /** Whether the root pointer in use is one of scalable mode, which has descriptors of its own. */
  void useScalableMode(boolean on) {
    scalable = on;
  }

  private void addressWritten() {
    if (!enabled) {
      registers.set(Register.IQH, 0);
      registers.set(Register.IQT, 0);
    }
  }

  /** Software may have cleared the error that stopped the queue. */
  void faultStatusWritten() {
    long error = registers.get(Register.IQERCD);
    error = log.hasQueueError() ? error : InvalidationQueueFields.IQEI.clear(error);
    error = log.hasDeviceTimeout() ? error : InvalidationQueueFields.ITESID.clear(error);
    error = log.hasCompletionError() ? error : InvalidationQueueFields.ICESID.clear(error);
    registers.set(Register.IQERCD, error);
    run();
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
      while (goesOn && canFetch() && head() != tail()) {
        goesOn = step();
      }
      if (goesOn && canFetch() && overdue.isPresent()) {
        timeOut();
      }
      circuit.observer().settled();
    } finally {
      running = false;
    }
  }

  private boolean canFetch() {
    return enabled && !log.hasQueueError() && !log.hasDeviceTimeout();
  }

  /** Deals with one descriptor; false where the unit stays in front of it. */
  private boolean step() {
    QueueMode mode = mode(ring);
    int bytes = InvalidationQueueFields.bytes(ring);
    long address = InvalidationQueueFields.base(ring) + head();
    if (mode.wide() && !circuit.capabilities().scalableMode()) {
      return stop(QueueError.DESCRIPTOR_WIDTH_INVALID);
    }
    if (mode.wide() && (tail() & WIDE_ALIGNMENT) != 0) {
      return stop(QueueError.TAIL_MISALIGNED);
    }
    if (tail() >= bytes) {
      return stop(QueueError.TAIL_BEYOND_RING);
    }
    if (!memory.isRam(address, mode.descriptorBytes())) {
      return stop(QueueError.DESCRIPTOR_UNREADABLE);
    }
    int next = (int) (head() + mode.descriptorBytes()) % bytes;
    return execute(InvalidationDescriptor.read(memory, address, mode), mode, next);
  }

  private QueueMode mode(long address) {
    return new QueueMode(
        circuit.capabilities(),
        InvalidationQueueFields.DW.isSet(address),
        scalable,
        !circuit.settings().defects().onlyRemapsInterrupts());
  }

  private boolean execute(InvalidationDescriptor descriptor, QueueMode mode, int next) {
    Invalidation command = descriptor.decode(mode);
    Optional<Malfunction.Effect> malfunction = circuit.malfunctions().strike(command);
    if (malfunction.isEmpty()) {
      circuit.postedWrites().invalidated(command, descriptor.asksToDrainWrites());
      return carryOut(command, next);
    }
    return switch (malfunction.get()) {
      case INVALIDATION_TIMEOUT -> neglect(command, next);
      case QUEUE_ERROR -> stop(QueueError.DESCRIPTOR_UNREADABLE);
      case DROP_INVALIDATION -> advance(next);
      case MALFORMED_COMPLETION -> misunderstand(command, next);
    };
  }

  /** A command is not carried out: the unit stands before it, or a device does not answer. */
  private boolean neglect(Invalidation command, int next) {
    if (command instanceof Invalidation.DeviceTranslations translations) {
      overdue = Optional.of(translations.device());
      return advance(next);
    }
    return false;
  }

  /** A device answers with what is no completion; any other command has nobody to answer. */
  private boolean misunderstand(Invalidation command, int next) {
    if (command instanceof Invalidation.DeviceTranslations translations) {
      note(InvalidationQueueFields.ICESID, translations.device());
      log.raiseCompletionError();
    }
    return carryOut(command, next);
  }

  private boolean carryOut(Invalidation command, int next) {
    switch (command) {
      case Invalidation.OfCaches caches -> commands.carryOut(caches);
      case Invalidation.DeviceTranslations translations -> commands.carryOut(translations);
      case Invalidation.PageGroupResponse response -> commands.carryOut(response);
      case Invalidation.Wait wait -> {
        return complete(wait, next);
      }
      case Invalidation.Malformed(QueueError error) -> {
        return stop(error);
      }
    }
    return advance(next);
  }

  private boolean complete(Invalidation.Wait wait, int next) {
    if (overdue.isPresent()) {
      advance(next);
      return timeOut();
    }
    circuit.observer().settled();
    if (wait.writesStatus()) {
      if (!memory.isRam(wait.statusAddress())) {
        return stop(QueueError.DESCRIPTOR_RESERVED);
      }
      memory.writeInt(wait.statusAddress(), wait.statusData());
    }
    circuit.counters().waits++;
    advance(next);
    if (wait.interrupt()) {
      completion.signal();
    }
    return true;
  }

  private boolean advance(int next) {
    registers.set(Register.IQH, next);
    return true;
  }

  private boolean timeOut() {
    overdue.ifPresent(device -> note(InvalidationQueueFields.ITESID, device));
    overdue = Optional.empty();
    log.raiseDeviceTimeout();
    return false;
  }

  private void note(BitField field, SourceId device) {
    registers.set(Register.IQERCD, field.put(registers.get(Register.IQERCD), device.value()));
  }

  private boolean stop(QueueError error) {
    circuit.counters().countQueueError(error);
    registers.set(
        Register.IQERCD,
        InvalidationQueueFields.IQEI.put(registers.get(Register.IQERCD), error.code()));
    log.raiseQueueError();
    return false;
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
    QueueMode mode = mode(address);
    int bytes = mode.descriptorBytes();
    return new QueueState(
        enabled,
        InvalidationQueueFields.base(address),
        mode,
        InvalidationQueueFields.bytes(address) / bytes,
        (int) head() / bytes,
        (int) tail() / bytes,
        log.hasQueueError()
            ? QueueError.of(InvalidationQueueFields.IQEI.getInt(registers.get(Register.IQERCD)))
            : Optional.empty());
  }

  /** After a reset the queue is off. */
  void reset() {
    enabled = false;
    scalable = false;
    ring = 0;
    overdue = Optional.empty();
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("invalidation-queue").put(enabled).put(scalable).put(ring);
    digest.put(overdue.map(SourceId::value).orElse(-1));
  }
}
