package io.hypercalld.core.hypercall;

/**
 * What {@link AuditP2m} returns. Immutable.
 *
 * @param orphans frames of the domain's that no guest frame maps
 * @param m2pBad frames that are not where they say
 * @param p2mBad entries that cannot be; none, as for Xen's EPT
 * @see "xen/include/public/domctl.h"
 */
public record P2mAudit(long orphans, long m2pBad, long p2mBad) {}
