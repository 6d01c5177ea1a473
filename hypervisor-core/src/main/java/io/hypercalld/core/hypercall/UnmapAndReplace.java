package io.hypercalld.core.hypercall;

import io.hypercalld.core.bits.Word;

/**
 * {@code unmap_and_replace}: unmap a granted page and have the page table entry of another address
 * take its place; one element of Xen's array.
 *
 * <p>A translated caller has no entry to move: for it the new address is 0, and the rest as for
 * {@link UnmapGrantRef}. Answers 0 with a {@code GNTST_*} status: 0 okay, -1 the page is not mapped
 * there or the new address is not 0, -4 no such handle.
 *
 * @see "Xen GNTTABOP_unmap_and_replace"
 */
public record UnmapAndReplace(Word hostAddr, Word newAddr, long handle) implements Hypercall {}
