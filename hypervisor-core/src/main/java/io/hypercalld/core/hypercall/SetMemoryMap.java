package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.domain.E820Entry;
import java.util.List;
import java.util.Optional;

/**
 * {@code set_memory_map}: say what a domain is told about its addresses.
 *
 * <ul>
 *   <li>{@code EINVAL} a start_extent; more than 1024 entries
 *   <li>{@code ESRCH} no such domain
 *   <li>{@code EPERM} not privileged
 *   <li>{@code EFAULT} the buffer is shorter than {@code nr_entries}
 * </ul>
 *
 * @see "Xen XENMEM_set_memory_map"
 */
public record SetMemoryMap(DomainId domid, Map map, @OrElse("0") long startExtent)
    implements Hypercall {
  /**
   * {@code struct xen_memory_map}.
   *
   * @param nrEntries where left out, as many as the buffer has
   */
  public record Map(@OrElse("null") Optional<Long> nrEntries, List<E820Entry> buffer) {}
}
