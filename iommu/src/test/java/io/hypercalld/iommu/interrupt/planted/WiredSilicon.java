package io.hypercalld.iommu.interrupt.planted;

import io.hypercalld.iommu.unit.planted.OwnedSilicon;

/** An interrupt that goes past the driver. */
public record WiredSilicon(OwnedSilicon unit) {}
