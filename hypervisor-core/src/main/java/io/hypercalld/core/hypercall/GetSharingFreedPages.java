package io.hypercalld.core.hypercall;

/**
 * {@code get_sharing_freed_pages}: answers how many frames sharing saves.
 *
 * <ul>
 *   <li>{@code EINVAL} {@code start_extent} not 0
 * </ul>
 *
 * @see "Xen XENMEM_get_sharing_freed_pages"
 */
public record GetSharingFreedPages(@OrElse("0") long startExtent) implements Hypercall {}
