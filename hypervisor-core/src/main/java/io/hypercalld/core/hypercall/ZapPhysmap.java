package io.hypercalld.core.hypercall;

import io.hypercalld.core.p2m.Gfn;

/**
 * {@code zap_physmap}: unmap a guest frame of the caller's. Its own page is freed, another domain's
 * is let go of; nothing is done where nothing is mapped.
 *
 * <ul>
 *   <li>{@code ENOSYS} more than one page
 *   <li>{@code EINVAL} a granted page, which its handle unmaps, or what is not in memory
 *   <li>{@code ENOMEM} no page to split a larger leaf
 * </ul>
 *
 * @param extentOrder log2 of the number of pages: 0
 * @see "spec/documents.md S3-D4, IA64_DOM0VP_zap_physmap"
 */
public record ZapPhysmap(Gfn gpfn, @OrElse("0") long extentOrder) implements Hypercall {}
