package io.hypercalld.iommu.acpi.planted;

import io.hypercalld.iommu.unit.planted.OwnedSilicon;

/** A firmware table with hardware behind it. */
public record DrivenTable(OwnedSilicon unit) {}
