package io.hypercalld.iommu.driver.planted;

import io.hypercalld.iommu.unit.planted.OwnedSilicon;

/** A driver that reaches into the silicon, past its registers. */
public record Shortcut(OwnedSilicon unit) {}
