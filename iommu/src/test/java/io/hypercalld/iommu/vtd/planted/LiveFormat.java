package io.hypercalld.iommu.vtd.planted;

import io.hypercalld.iommu.unit.planted.OwnedSilicon;

/** A format that knows who walks it. */
public record LiveFormat(OwnedSilicon reader) {}
