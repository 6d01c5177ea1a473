package io.hypercalld.iommu.acpi;

/**
 * ACPI Name-space Device Declaration: a DMA-capable device that is not enumerated by PCI.
 * Immutable.
 *
 * @param deviceNumber what a scope of type {@link DeviceScope.Type#ACPI_DEVICE} refers to
 * @param name its path in the name space
 * @see "VT-d §8.7"
 */
public record Andd(int deviceNumber, String name) implements DmarStructure {}
