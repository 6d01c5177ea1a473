package io.hypercalld.core.hypercall;

import io.hypercalld.core.bits.Word;

/**
 * {@code cache_flush}: write back what processors keep of a page of the caller's, or of one that it
 * has mapped of another domain's. Memory is coherent here as on x86, so nothing else changes.
 *
 * <ul>
 *   <li>{@code EINVAL} not within a page, an operation that is none, no such frame, or another
 *       domain's that is not mapped
 *   <li>{@code EPERM} nobody's frame
 *   <li>{@code EOPNOTSUPP} to invalidate without writing back, which x86 cannot; or to name the
 *       page by a grant
 * </ul>
 *
 * @param devBusAddr of the frame
 * @param offset in the page, in bytes
 * @param length in bytes; with 0, or no operation, nothing is looked at
 * @param op clean 1, inval 2, source_gref 0x80000000
 * @see "Xen GNTTABOP_cache_flush"
 */
public record CacheFlush(Word devBusAddr, long offset, long length, long op) implements Hypercall {}
