package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.DomainId;

/**
 * {@code get_domain_state}: whether a domain is, has shut down or is dying, as {@link
 * DomainStateReport}. Unlike the rest of domctl its interface has version 0.
 *
 * <ul>
 *   <li>{@code ESRCH}, {@code EPERM} as for {@link QueryDomain}
 *   <li>{@code EINVAL} {@code pad0} is not 0
 *   <li>{@code EACCES} any changed domain, asked for by another than the hardware domain
 *   <li>{@code ENOENT} no domain has changed
 * </ul>
 *
 * @param domain {@link DomainId#INVALID} for any whose state changed since it was last asked for
 * @param pad0 0
 * @see "Xen XEN_DOMCTL_get_domain_state"
 */
public record GetDomainState(DomainId domain, @OrElse("0") long pad0) implements Hypercall {}
