package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.DomainId;

/**
 * {@code get_vnumainfo}: which memory and vCPUs of a domain are near each other. No domain is told,
 * so it is always refused.
 *
 * <ul>
 *   <li>{@code EINVAL} a start_extent; {@code pad} not 0
 *   <li>{@code ESRCH} no such domain, {@code EPERM} not privileged
 *   <li>{@code EOPNOTSUPP} a domain that was given no such topology, which is every one
 * </ul>
 *
 * @see "Xen XENMEM_get_vnumainfo"
 */
public record GetVnumaInfo(DomainId domid, @OrElse("0") long pad, @OrElse("0") long startExtent)
    implements Hypercall {}
