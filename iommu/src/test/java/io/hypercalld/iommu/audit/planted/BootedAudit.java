package io.hypercalld.iommu.audit.planted;

import io.hypercalld.iommu.platform.planted.RunningPlatform;

/** A checker that believes the firmware instead of looking. */
public record BootedAudit(RunningPlatform platform) {}
