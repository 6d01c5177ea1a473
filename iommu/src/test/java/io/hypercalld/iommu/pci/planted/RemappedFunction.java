package io.hypercalld.iommu.pci.planted;

import io.hypercalld.iommu.unit.planted.OwnedSilicon;

/** A PCI function that knows the unit above it. */
public record RemappedFunction(OwnedSilicon unit) {}
