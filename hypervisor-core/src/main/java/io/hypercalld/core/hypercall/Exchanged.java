package io.hypercalld.core.hypercall;

/**
 * What {@link Exchange} returns. Immutable.
 *
 * @param nrExchanged input extents exchanged so far
 * @param out the frames got, as far as this call got them
 */
public record Exchanged(long nrExchanged, ExtentList out) {}
