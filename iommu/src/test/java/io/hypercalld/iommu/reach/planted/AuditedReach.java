package io.hypercalld.iommu.reach.planted;

import io.hypercalld.iommu.audit.planted.BootedAudit;

/** A map of interrupts that knows what is checked of them. */
public record AuditedReach(BootedAudit audit) {}
