package io.hypercalld.api.conformance;

import io.hypercalld.iommu.unit.QueueState;
import io.hypercalld.iommu.vtd.ContextCommand;
import io.hypercalld.iommu.vtd.FaultStatus;
import io.hypercalld.iommu.vtd.Invalidation;
import io.hypercalld.iommu.vtd.InvalidationDescriptor;
import io.hypercalld.iommu.vtd.InvalidationQueueFields;
import io.hypercalld.iommu.vtd.IotlbCommand;
import io.hypercalld.iommu.vtd.Register;

/**
 * Notices register writes after which the recorded implementations' queues are known to go another
 * way, and says so to the registers' check. Confined to the thread that runs the case.
 */
final class QueueWatch {
  private static final int DEVICE_TLB = 3;
  private static final int INTERRUPT_ENTRY_CACHE = 4;
  private static final int PASID_TRANSLATIONS = 6;
  private static final int PASID_CACHE = 7;
  private static final int PASID_DEVICE_TLB = 8;

  private final CaseMachine machine;
  private final RegisterCheck registers;

  private QueueState before;
  private boolean stoppedBefore;

  QueueWatch(CaseMachine machine, RegisterCheck registers) {
    this.machine = machine;
    this.registers = registers;
    this.before = machine.unit.queue();
  }

  /** To be called before a register write. */
  void before() {
    before = machine.unit.queue();
    stoppedBefore = isStopped();
  }

  /** To be called after it. */
  void after(CorpusCase.Step.RegisterWrite write) {
    QueueState now = machine.unit.queue();
    if (isCommand(write) && now.enabled()) {
      registers.excuse(Consequence.COMMANDS, "register-command-while-queued");
    }
    if (before.enabled() && !now.enabled()) {
      registers.excuse(Consequence.QUEUE_SWITCH, "queue-disable-refused");
    }
    if (stoppedBefore && write.offset() == Register.FSTS.offset()) {
      registers.excuse(Consequence.QUEUE, "no-fetch-after-error");
    }
    if (isStopped() && !stoppedBefore && mayBeUnchecked(descriptor(now, now.head()).lo())) {
      registers.excuse(Consequence.QUEUE, "descriptor-not-checked");
    }
    if (now.enabled() && hasIdleWait(now)) {
      registers.excuse(Consequence.QUEUE, "wait-without-effect");
    }
  }

  private boolean isStopped() {
    return FaultStatus.IQE.isSet(machine.unit.read32(Register.FSTS.offset()));
  }

  private boolean isCommand(CorpusCase.Step.RegisterWrite write) {
    int trigger = write.offset() + write.bytes() - Integer.BYTES;
    long top = write.bytes() == Long.BYTES ? write.value() : write.value() << 32;
    int iotlb = machine.unit.capabilities().iotlbOffset() + Integer.BYTES;
    return trigger == iotlb
        ? IotlbCommand.IVT.isSet(top)
        : trigger == Register.CCMD.offset() + Integer.BYTES && ContextCommand.ICC.isSet(top);
  }

  /** Types of features that the unit lacks, and reserved bits of the interrupt-entry cache's. */
  private static boolean mayBeUnchecked(long lo) {
    int type = InvalidationDescriptor.TYPE.getInt(lo);
    return type == DEVICE_TLB
        || type == INTERRUPT_ENTRY_CACHE
        || type == PASID_TRANSLATIONS
        || type == PASID_CACHE
        || type == PASID_DEVICE_TLB;
  }

  /** Whether the queue went past a wait that neither writes nor interrupts. */
  private boolean hasIdleWait(QueueState now) {
    for (int slot = before.head(); slot != now.head(); slot = (slot + 1) % now.size()) {
      boolean idle =
          descriptor(now, slot).decode(machine.unit.capabilities())
                  instanceof Invalidation.Wait wait
              && !wait.writesStatus()
              && !wait.interrupt();
      if (idle) {
        return true;
      }
    }
    return false;
  }

  private InvalidationDescriptor descriptor(QueueState now, int slot) {
    boolean wide = InvalidationQueueFields.DW.isSet(machine.unit.read64(Register.IQA.offset()));
    long address = now.base() + (long) slot * InvalidationDescriptor.BYTES * (wide ? 2 : 1);
    return new InvalidationDescriptor(machine.word(address), machine.word(address + Long.BYTES));
  }
}
