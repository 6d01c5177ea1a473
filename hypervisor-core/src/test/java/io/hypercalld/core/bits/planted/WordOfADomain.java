package io.hypercalld.core.bits.planted;

import io.hypercalld.core.domain.DomainId;

/** Knows who owns it. */
public record WordOfADomain(DomainId owner) {}
