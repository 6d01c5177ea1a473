package io.hypercalld.iommu.interrupt;

import io.hypercalld.core.bits.Word;

/**
 * How a domain wants an interrupt as a message. Immutable.
 *
 * @param address as the domain wrote it for the function: of compatibility format, or one that its
 *     own unit remaps
 * @param unmasked whether the function may send it from now on
 * @param table where the domain sees the MSI-X table of the function; 0 where it does not
 */
public record GuestMessage(Word address, int data, boolean unmasked, Word table) {
  /** A message of compatibility format, taken apart into vector and flags. */
  public static GuestMessage of(int vector, GuestFlags flags, Word table) {
    return new GuestMessage(flags.address(), flags.data(vector), flags.isUnmasked(), table);
  }
}
