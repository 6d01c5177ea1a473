package io.hypercalld.core.hypercall;

import io.hypercalld.core.bits.Word;

/**
 * {@code unmap_grant_ref}: unmap a granted page, one element of Xen's array.
 *
 * <p>Answers 0 with a {@code GNTST_*} status: 0 okay, -1 the page is not mapped there, -4 no such
 * handle. With the address 0 nothing is unmapped.
 *
 * @see "Xen GNTTABOP_unmap_grant_ref"
 */
public record UnmapGrantRef(Word hostAddr, @OrElse("0") Word devBusAddr, long handle)
    implements Hypercall {}
