package io.hypercalld.iommu.unit;

import io.hypercalld.iommu.vtd.Capabilities;
import io.hypercalld.iommu.vtd.ContextCommand;
import io.hypercalld.iommu.vtd.Invalidation;
import io.hypercalld.iommu.vtd.InvalidationGranularity;
import io.hypercalld.iommu.vtd.IotlbCommand;
import io.hypercalld.iommu.vtd.Register;
import java.util.Optional;

/**
 * Invalidation commands through CCMD and IOTLB, for software that does not use the queue. Confined
 * to the machine thread.
 *
 * <p>A command is done when its store returns. What cannot be done answers granularity 0 and
 * changes nothing; so does every command while the queue is enabled.
 *
 * @see "VT-d §6.5.1"
 */
final class RegisterInvalidation {
  private static final Optional<InvalidationGranularity> NOT_DONE =
      Optional.of(InvalidationGranularity.NONE);

  private final Circuit circuit;
  private final RegisterFile registers;
  private final Capabilities capabilities;
  private final TranslationCaches caches;
  private final InvalidationQueue queue;

  RegisterInvalidation(Circuit circuit, TranslationCaches caches, InvalidationQueue queue) {
    this.circuit = circuit;
    this.registers = circuit.registers();
    this.capabilities = circuit.capabilities();
    this.caches = caches;
    this.queue = queue;
  }

  /** Puts the registers into the window. */
  void attach() {
    for (Register register : new Register[] {Register.CCMD, Register.IVA, Register.IOTLB}) {
      registers.declare(register, register.kinds());
    }
    registers.onWriteHigh(Register.CCMD, _ -> contextCommandWritten());
    registers.onWriteHigh(Register.IOTLB, _ -> iotlbCommandWritten());
  }

  private void contextCommandWritten() {
    long command = registers.get(Register.CCMD);
    if (ContextCommand.ICC.isSet(command)) {
      ContextCommand.decode(command)
          .map(asked -> carryOut(asked, asked.granularity(), () -> caches.carryOut(asked)))
          .orElse(NOT_DONE)
          .ifPresent(
              done ->
                  registers.set(
                      Register.CCMD,
                      ContextCommand.ICC.clear(ContextCommand.CAIG.put(command, done.encoding()))));
    }
  }

  private void iotlbCommandWritten() {
    long command = registers.get(Register.IOTLB);
    if (IotlbCommand.IVT.isSet(command)) {
      new IotlbCommand.Words(command, registers.get(Register.IVA))
          .decode()
          .filter(this::isPossible)
          .map(asked -> carryOut(asked, asked.granularity(), () -> forget(asked, command)))
          .orElse(NOT_DONE)
          .ifPresent(
              done ->
                  registers.set(
                      Register.IOTLB,
                      IotlbCommand.IVT.clear(IotlbCommand.IAIG.put(command, done.encoding()))));
    }
  }

  private void forget(Invalidation.OfTranslations asked, long command) {
    circuit.postedWrites().invalidated(asked, IotlbCommand.DW.isSet(command));
    caches.carryOut(asked);
  }

  private boolean isPossible(Invalidation.OfTranslations asked) {
    return !(asked instanceof Invalidation.PageTranslations pages)
        || (capabilities.pageSelectiveInvalidation()
            && pages.addressMask() <= capabilities.maximumAddressMask());
  }

  /** What was done; empty where the command is still under way. */
  private Optional<InvalidationGranularity> carryOut(
      Invalidation.OfCaches command, InvalidationGranularity granularity, Runnable action) {
    if (queue.isEnabled()) {
      return NOT_DONE;
    }
    Optional<Malfunction.Effect> malfunction = circuit.malfunctions().strike(command);
    if (malfunction.isEmpty()) {
      action.run();
      caches.flushWriteBuffer();
      circuit.observer().invalidated(command);
      circuit.observer().settled();
      return Optional.of(granularity);
    }
    return switch (malfunction.get()) {
      case INVALIDATION_TIMEOUT -> Optional.empty();
      case QUEUE_ERROR -> NOT_DONE;
      case DROP_INVALIDATION -> Optional.of(granularity);
      case MALFORMED_COMPLETION -> {
        action.run();
        yield Optional.of(granularity);
      }
    };
  }
}
