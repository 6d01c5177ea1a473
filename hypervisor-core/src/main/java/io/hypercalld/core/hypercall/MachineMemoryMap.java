package io.hypercalld.core.hypercall;

/**
 * {@code machine_memory_map}: the machine's own map of addresses.
 *
 * <ul>
 *   <li>{@code EPERM} the caller is no control domain
 *   <li>{@code EINVAL} a start_extent; it has more than {@code nr_entries} entries
 * </ul>
 *
 * @see "Xen XENMEM_machine_memory_map"
 */
public record MachineMemoryMap(long nrEntries, @OrElse("0") long startExtent)
    implements Hypercall {}
