package io.hypercalld.iommu.unit;

import io.hypercalld.iommu.vtd.InvalidationQueueFields;
import io.hypercalld.iommu.vtd.Register;

/**
 * ICS, and the event that its condition raises. Confined to the machine thread.
 *
 * @see "VT-d §6.5.2.9, §11.4.9.4"
 */
final class CompletionStatus {
  private final RegisterFile registers;
  private final EventLine event;

  CompletionStatus(Circuit circuit, EventLine event) {
    this.registers = circuit.registers();
    this.event = event;
    if (circuit.capabilities().queuedInvalidation()) {
      registers.declare(Register.ICS, Register.ICS.kinds());
      registers.onWrite(Register.ICS, _ -> written());
    }
  }

  /** A wait with an interrupt flag has completed; while IWC is set that is nothing new. */
  void signal() {
    long status = registers.get(Register.ICS);
    if (!InvalidationQueueFields.IWC.isSet(status)) {
      registers.set(Register.ICS, InvalidationQueueFields.IWC.set(status));
      event.raise();
    }
  }

  private void written() {
    if (!InvalidationQueueFields.IWC.isSet(registers.get(Register.ICS))) {
      event.settle();
    }
  }
}
