package io.hypercalld.api.acceptance;

import io.hypercalld.iommu.vtd.FaultStatus;
import io.hypercalld.iommu.vtd.GlobalCommand;
import io.hypercalld.iommu.vtd.InvalidationDescriptor;
import io.hypercalld.iommu.vtd.InvalidationQueueFields;
import io.hypercalld.iommu.vtd.Register;

/** Software's side of a bare unit's invalidation queue: a ring, and a tail that it advances. */
final class UnitQueue {
  private final BareUnit unit;
  private final long ring;
  private final int bytes;
  private int tail;

  private UnitQueue(BareUnit unit, int order) {
    this.unit = unit;
    this.ring = unit.newPages(1 << order);
    long address = InvalidationQueueFields.ring(ring, order);
    this.bytes = InvalidationQueueFields.bytes(address);
    unit.write(Register.IQA, address);
    unit.command(GlobalCommand.QIE, true);
  }

  /** Gives a unit a queue of 256 descriptors of 128 bits. */
  static UnitQueue of(BareUnit unit) {
    return new UnitQueue(unit, 0);
  }

  /** Writes descriptors behind the tail and shows them all to hardware at once. */
  void submit(InvalidationDescriptor... descriptors) {
    for (InvalidationDescriptor descriptor : descriptors) {
      put(tail / InvalidationDescriptor.BYTES, descriptor);
      tail = (tail + InvalidationDescriptor.BYTES) % bytes;
    }
    unit.write(Register.IQT, tail);
  }

  void put(int index, InvalidationDescriptor descriptor) {
    unit.poke(ring + (long) index * InvalidationDescriptor.BYTES, descriptor.lo(), descriptor.hi());
  }

  long head() {
    return unit.read(Register.IQH);
  }

  /** IQERCD.IQEI; 0 where there is no error. */
  int error() {
    return InvalidationQueueFields.IQEI.getInt(unit.read(Register.IQERCD));
  }

  boolean stopped() {
    return unit.isSet(Register.FSTS, FaultStatus.IQE);
  }

  void clearError() {
    unit.write(Register.FSTS, FaultStatus.IQE.mask());
  }
}
