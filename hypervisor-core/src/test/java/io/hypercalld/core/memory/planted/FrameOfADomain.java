package io.hypercalld.core.memory.planted;

import io.hypercalld.core.domain.DomainId;

/** Knows who owns it. */
public record FrameOfADomain(DomainId owner) {}
