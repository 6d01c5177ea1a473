package io.hypercalld.iommu.acpi;

/**
 * Remapping Hardware Static Affinity: the NUMA domain of a unit. Immutable.
 *
 * @param base the register base of the unit
 * @param proximityDomain a 32-bit number
 * @see "VT-d §8.6"
 */
public record Rhsa(long base, int proximityDomain) implements DmarStructure {}
