package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.DomainId;

/**
 * What {@link GetDomainState} returns. Immutable.
 *
 * @param state exists 0x1, shutdown 0x2, dying 0x4, dead 0x8
 * @param caps control 0x1, hardware 0x2, xenstore 0x4
 * @param uniqueId never given twice
 * @see "xen/include/public/domctl.h"
 */
public record DomainStateReport(DomainId domain, int state, int caps, long uniqueId) {}
