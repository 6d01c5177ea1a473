package io.hypercalld.iommu.interrupt;

import io.hypercalld.iommu.pci.SourceId;

/**
 * An HPET that sends messages, as firmware describes it. Immutable.
 *
 * @param iommu the unit in whose scope it is
 * @param id its number, as in ACPI's HPET table
 * @param requester under which it asks for interrupts; no function need have it
 */
public record HpetSource(int iommu, int id, SourceId requester) {}
