package io.hypercalld.iommu.fault.planted;

import io.hypercalld.iommu.unit.planted.OwnedSilicon;

/** A fault that is read past the driver. */
public record SilentFault(OwnedSilicon unit) {}
