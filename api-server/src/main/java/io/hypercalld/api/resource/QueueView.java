package io.hypercalld.api.resource;

import io.hypercalld.api.machine.Machine;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.memory.MachineMemory;
import io.hypercalld.iommu.driver.UnitDriver;
import io.hypercalld.iommu.unit.QueueState;
import io.hypercalld.iommu.unit.RemappingUnit;
import io.hypercalld.iommu.vtd.Invalidation;
import io.hypercalld.iommu.vtd.InvalidationDescriptor;
import io.hypercalld.iommu.vtd.QueueError;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * An invalidation queue as it is told. Immutable.
 *
 * @param head what hardware fetches next
 * @param tail what software writes next
 * @param descriptors every one that has ever been written and not since overwritten
 */
record QueueView(
    boolean enabled,
    Word base,
    int size,
    int head,
    int tail,
    Optional<QueueError> error,
    List<DescriptorView> descriptors) {
  /** One descriptor in the ring. */
  record DescriptorView(
      int index, Word address, Word lo, Word hi, String type, Map<String, Word> fields) {}

  static QueueView of(Machine machine, UnitDriver driver) {
    RemappingUnit unit = machine.unit(driver.index());
    QueueState queue = unit.queue();
    boolean readable =
        queue.enabled()
            && machine
                .hypervisor()
                .memory()
                .isRam(queue.base(), (long) queue.size() * queue.mode().descriptorBytes());
    List<DescriptorView> descriptors =
        readable
            ? IntStream.range(0, queue.size())
                .mapToObj(index -> descriptor(machine, queue, index))
                .filter(view -> view.lo.value() != 0)
                .toList()
            : List.of();
    return new QueueView(
        queue.enabled(),
        new Word(queue.base()),
        queue.size(),
        queue.head(),
        queue.tail(),
        queue.error(),
        descriptors);
  }

  private static DescriptorView descriptor(Machine machine, QueueState queue, int index) {
    MachineMemory memory = machine.hypervisor().memory();
    long at = queue.base() + (long) index * queue.mode().descriptorBytes();
    InvalidationDescriptor descriptor = InvalidationDescriptor.read(memory, at, queue.mode());
    Invalidation meaning = descriptor.decode(queue.mode());
    return new DescriptorView(
        index,
        new Word(at),
        new Word(descriptor.lo()),
        new Word(descriptor.hi()),
        meaning.getClass().getSimpleName(),
        descriptor.fields());
  }
}
