package io.hypercalld.iommu.acpi;

/**
 * Who wrote a table: the part of the ACPI header that is neither length nor checksum. Immutable.
 *
 * @param oemId 6 characters
 * @param oemTableId 8 characters
 * @param creatorId 4 characters
 * @see "ACPI 6.5 §5.2.6"
 */
public record AcpiHeader(
    int revision,
    String oemId,
    String oemTableId,
    int oemRevision,
    String creatorId,
    int creatorRevision) {}
