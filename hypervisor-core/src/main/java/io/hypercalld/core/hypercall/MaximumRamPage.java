package io.hypercalld.core.hypercall;

/**
 * {@code maximum_ram_page}: the machine's first frame number above all RAM. Never refused but with
 * {@code EINVAL} for a start_extent.
 *
 * @see "Xen XENMEM_maximum_ram_page"
 */
public record MaximumRamPage(@OrElse("0") long startExtent) implements Hypercall {}
