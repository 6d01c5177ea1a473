package io.hypercalld.core.hypercall;

/**
 * {@code get_sharing_shared_pages}: answers how many frames are shared.
 *
 * <ul>
 *   <li>{@code EINVAL} {@code start_extent} not 0
 * </ul>
 *
 * @see "Xen XENMEM_get_sharing_shared_pages"
 */
public record GetSharingSharedPages(@OrElse("0") long startExtent) implements Hypercall {}
