package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.DomainId;

/** What {@link CreateDomain} returns. Immutable. */
public record NewDomain(DomainId domain) {}
