package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.DomainId;

/**
 * {@code subscribe}: name the event channel that tells when a domain has suspended itself; the last
 * one named wins.
 *
 * <ul>
 *   <li>{@code ESRCH}, {@code EPERM} as for {@link DestroyDomain}
 * </ul>
 *
 * @see "Xen XEN_DOMCTL_subscribe"
 */
public record Subscribe(DomainId domain, long port) implements Hypercall {}
