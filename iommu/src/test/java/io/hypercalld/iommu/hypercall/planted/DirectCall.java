package io.hypercalld.iommu.hypercall.planted;

import io.hypercalld.iommu.unit.planted.OwnedSilicon;

/** A call that goes past the driver. */
public record DirectCall(OwnedSilicon unit) {}
