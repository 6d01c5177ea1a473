package io.hypercalld.core.hypercall;

import io.hypercalld.core.p2m.Gfn;
import java.util.List;

/**
 * {@code reserved_device_memory_map}: the ranges that devices need mapped where they are (RMRR).
 *
 * <p>Answers how many there are, when it is refused with {@code ENOBUFS} too.
 *
 * <ul>
 *   <li>{@code EINVAL} a start_extent; flags other than bit 0, all devices'
 *   <li>{@code ENOBUFS} there are more than {@code nr_entries}
 * </ul>
 *
 * @param nrEntries most entries wanted
 * @see "Xen XENMEM_reserved_device_memory_map"
 */
public record ReservedDeviceMemoryMap(
    @OrElse("0") long flags,
    long nrEntries,
    @OrElse("{\"pci\":{}}") Device dev,
    @OrElse("0") long startExtent)
    implements Hypercall {
  /** The device whose ranges are wanted, unless all are. */
  public record Device(PciDevice pci) {}

  /** {@code struct physdev_pci_device}. */
  public record PciDevice(@OrElse("0") int seg, @OrElse("0") int bus, @OrElse("0") int devfn) {}

  /** One range. */
  public record Range(Gfn startPfn, long nrPages) {}

  /** What it returns. */
  public record Ranges(long nrEntries, List<Range> buffer) {
    public Ranges {
      buffer = List.copyOf(buffer);
    }
  }
}
