package io.hypercalld.iommu.unit;

import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.vtd.Capabilities;
import io.hypercalld.iommu.vtd.ContextCommand;
import io.hypercalld.iommu.vtd.Invalidation;
import io.hypercalld.iommu.vtd.InvalidationGranularity;
import io.hypercalld.iommu.vtd.IotlbCommand;
import io.hypercalld.iommu.vtd.Register;

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
  private final RegisterFile registers;
  private final Capabilities capabilities;
  private final TranslationCaches caches;
  private final InvalidationQueue queue;

  RegisterInvalidation(Circuit circuit, TranslationCaches caches, InvalidationQueue queue) {
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
      InvalidationGranularity done =
          queue.isEnabled() ? InvalidationGranularity.NONE : forgetContexts(command);
      registers.set(
          Register.CCMD,
          ContextCommand.ICC.clear(ContextCommand.CAIG.put(command, done.encoding())));
    }
  }

  private InvalidationGranularity forgetContexts(long command) {
    int domainId = ContextCommand.DID.getInt(command);
    InvalidationGranularity asked = InvalidationGranularity.of(ContextCommand.CIRG.getInt(command));
    switch (asked) {
      case NONE -> {}
      case GLOBAL -> caches.carryOut(new Invalidation.AllContexts());
      case DOMAIN -> caches.carryOut(new Invalidation.DomainContexts(domainId));
      case SELECTIVE ->
          caches.carryOut(
              new Invalidation.DeviceContexts(
                  domainId,
                  new SourceId(ContextCommand.SID.getInt(command)),
                  ContextCommand.FM.getInt(command)));
    }
    return asked;
  }

  private void iotlbCommandWritten() {
    long command = registers.get(Register.IOTLB);
    if (IotlbCommand.IVT.isSet(command)) {
      InvalidationGranularity done =
          queue.isEnabled() ? InvalidationGranularity.NONE : forgetTranslations(command);
      registers.set(
          Register.IOTLB, IotlbCommand.IVT.clear(IotlbCommand.IAIG.put(command, done.encoding())));
    }
  }

  private InvalidationGranularity forgetTranslations(long command) {
    int domainId = IotlbCommand.DID.getInt(command);
    InvalidationGranularity asked = InvalidationGranularity.of(IotlbCommand.IIRG.getInt(command));
    switch (asked) {
      case NONE -> {}
      case GLOBAL -> caches.carryOut(new Invalidation.AllTranslations());
      case DOMAIN -> caches.carryOut(new Invalidation.DomainTranslations(domainId));
      case SELECTIVE -> {
        return forgetPages(domainId);
      }
    }
    return asked;
  }

  private InvalidationGranularity forgetPages(int domainId) {
    long address = registers.get(Register.IVA);
    int addressMask = IotlbCommand.AM.getInt(address);
    if (!capabilities.pageSelectiveInvalidation()
        || addressMask > capabilities.maximumAddressMask()) {
      return InvalidationGranularity.NONE;
    }
    caches.carryOut(
        new Invalidation.PageTranslations(
            domainId,
            IotlbCommand.ADDR.inPlace(address),
            addressMask,
            IotlbCommand.IH.isSet(address)));
    return InvalidationGranularity.SELECTIVE;
  }
}
