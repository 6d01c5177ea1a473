package io.hypercalld.api.acceptance;

import io.hypercalld.iommu.vtd.FaultStatus;
import io.hypercalld.iommu.vtd.GlobalCommand;
import io.hypercalld.iommu.vtd.InvalidationDescriptor;
import io.hypercalld.iommu.vtd.InvalidationQueueFields;
import io.hypercalld.iommu.vtd.Register;
import java.util.List;
import java.util.stream.LongStream;

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
    int index = tail / InvalidationDescriptor.BYTES;
    int untilEnd = Math.min(descriptors.length, bytes / InvalidationDescriptor.BYTES - index);
    put(index, List.of(descriptors).subList(0, untilEnd));
    put(0, List.of(descriptors).subList(untilEnd, descriptors.length));
    tail = (tail + descriptors.length * InvalidationDescriptor.BYTES) % bytes;
    unit.write(Register.IQT, tail);
  }

  void put(int index, InvalidationDescriptor descriptor) {
    put(index, List.of(descriptor));
  }

  private void put(int index, List<InvalidationDescriptor> descriptors) {
    if (!descriptors.isEmpty()) {
      unit.poke(
          ring + (long) index * InvalidationDescriptor.BYTES,
          descriptors.stream()
              .flatMapToLong(each -> LongStream.of(each.lo(), each.hi()))
              .toArray());
    }
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
