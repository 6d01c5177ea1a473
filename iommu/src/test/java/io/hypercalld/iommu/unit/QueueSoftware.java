package io.hypercalld.iommu.unit;

import io.hypercalld.iommu.vtd.GlobalCommand;
import io.hypercalld.iommu.vtd.InvalidationDescriptor;
import io.hypercalld.iommu.vtd.InvalidationQueueFields;
import io.hypercalld.iommu.vtd.Register;

/** Software's side of the invalidation queue: a ring, and a tail that it advances. */
final class QueueSoftware {
  private final SimulatedUnit machine;
  final long ring;
  private final int bytes;
  private int tail;

  QueueSoftware(SimulatedUnit machine, int order) {
    this.machine = machine;
    this.ring = 0x200_0000L;
    long address = InvalidationQueueFields.ring(ring, order);
    this.bytes = InvalidationQueueFields.bytes(address);
    machine.unit.write64(Register.IQA.offset(), address);
    machine.command(GlobalCommand.QIE, true);
  }

  /** Writes descriptors behind the tail and shows them all to hardware at once. */
  void submit(InvalidationDescriptor... descriptors) {
    for (InvalidationDescriptor descriptor : descriptors) {
      put(tail / InvalidationDescriptor.BYTES, descriptor);
      tail = (tail + InvalidationDescriptor.BYTES) % bytes;
    }
    machine.unit.write64(Register.IQT.offset(), tail);
  }

  void put(int index, InvalidationDescriptor descriptor) {
    long address = ring + (long) index * InvalidationDescriptor.BYTES;
    machine.memory.writeWord(address, descriptor.lo());
    machine.memory.writeWord(address + Long.BYTES, descriptor.hi());
  }

  long head() {
    return machine.unit.read64(Register.IQH.offset());
  }

  long error() {
    return InvalidationQueueFields.IQEI.get(machine.unit.read64(Register.IQERCD.offset()));
  }
}
