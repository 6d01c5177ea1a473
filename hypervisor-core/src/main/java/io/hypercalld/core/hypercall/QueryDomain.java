package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.DomainId;

/**
 * {@code getdomaininfo}: what a domain is and has, as {@link DomainReport}.
 *
 * <ul>
 *   <li>{@code ESRCH}, {@code EPERM} as for {@link DestroyDomain}; the xenstore domain and a device
 *       model may ask, too
 * </ul>
 *
 * @see "Xen XEN_DOMCTL_getdomaininfo"
 */
public record QueryDomain(DomainId domain) implements Hypercall {}
