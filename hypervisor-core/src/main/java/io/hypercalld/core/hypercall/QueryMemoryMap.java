package io.hypercalld.core.hypercall;

/**
 * {@code memory_map}: the caller's own map of addresses, as far as {@code nr_entries} go.
 *
 * <ul>
 *   <li>{@code EINVAL} a start_extent
 *   <li>{@code ENOSYS} the caller was given none
 * </ul>
 *
 * @see "Xen XENMEM_memory_map"
 */
public record QueryMemoryMap(long nrEntries, @OrElse("0") long startExtent) implements Hypercall {}
