/**
 * The hypervisor's VT-d driver: domain-ids, context and second-stage tables, invalidation, and who
 * owns which device.
 *
 * <p>It reaches hardware through {@link io.hypercalld.iommu.vtd.Mmio} and machine memory and
 * through nothing else: a flush that it forgets is a stale translation, as on a real machine. It
 * learns of changes to a domain's P2M as a {@link io.hypercalld.core.p2m.P2mObserver}.
 *
 * <p>Invariants: hardware switches before the ownership record does; a domain-id is freed, and a
 * table page is reused, only after the invalidation that drops the last cached trace of it.
 *
 * @see "VT-d rev 4.1 §6, xen/drivers/passthrough/vtd/iommu.c"
 */
@NullMarked
package io.hypercalld.iommu.driver;

import org.jspecify.annotations.NullMarked;
