package io.hypercalld.iommu.platform.planted;

import io.hypercalld.iommu.unit.planted.OwnedSilicon;

/** A description of a machine that is already running. */
public record RunningPlatform(OwnedSilicon unit) {}
