package io.hypercalld.iommu.interrupt;

/**
 * How a domain wants an interrupt as a message. Immutable.
 *
 * @param table where it sees the MSI-X table of the function; 0 where it does not
 */
public record GuestMessage(int vector, GuestFlags flags, long table) {}
