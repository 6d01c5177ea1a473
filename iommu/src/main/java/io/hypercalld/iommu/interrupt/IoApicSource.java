package io.hypercalld.iommu.interrupt;

import io.hypercalld.iommu.pci.SourceId;

/**
 * An I/O APIC as firmware describes it. Immutable.
 *
 * @param iommu the unit in whose scope it is
 * @param id its enumeration id
 * @param requester under which it asks for interrupts; no function need have it
 */
public record IoApicSource(int iommu, int id, SourceId requester) {}
