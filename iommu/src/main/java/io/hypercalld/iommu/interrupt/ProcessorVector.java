package io.hypercalld.iommu.interrupt;

/**
 * A vector of one processor: what an interrupt is told apart by. Immutable.
 *
 * @param processor index, which is its APIC id
 * @param vector 0 to 255
 */
public record ProcessorVector(int processor, int vector) {}
