package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.p2m.Gfn;

/**
 * {@code set_broken_page_p2m}: mark a page of a domain as broken memory; whatever touches it then
 * crashes the domain.
 *
 * <ul>
 *   <li>{@code ESRCH}, {@code EPERM} as for {@link DestroyDomain}
 *   <li>{@code EINVAL} no page of RAM there, or a PV domain
 * </ul>
 *
 * @see "Xen XEN_DOMCTL_set_broken_page_p2m"
 */
public record SetBrokenPageP2m(DomainId domain, Gfn pfn) implements Hypercall {}
