package io.hypercalld.iommu.unit.planted;

import io.hypercalld.core.domain.DomainId;

/** Hardware that has heard of domains. */
public record OwnedSilicon(DomainId owner) {}
