package io.hypercalld.core.hypercall;

/**
 * {@code swap_grant_ref}: exchange two entries of the caller's grant table, one element of Xen's
 * array.
 *
 * <p>Answers 0 with a {@code GNTST_*} status: 0 okay, -3 no such entry, -12 one of them is in use.
 *
 * @see "Xen GNTTABOP_swap_grant_ref"
 */
public record SwapGrantRef(long refA, long refB) implements Hypercall {}
