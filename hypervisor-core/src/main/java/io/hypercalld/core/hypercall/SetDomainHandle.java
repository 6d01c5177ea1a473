package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.DomainId;
import java.util.UUID;

/**
 * {@code setdomainhandle}: give a domain another UUID; two may have the same.
 *
 * <ul>
 *   <li>{@code ESRCH}, {@code EPERM} as for {@link DestroyDomain}
 * </ul>
 *
 * @see "Xen XEN_DOMCTL_setdomainhandle"
 */
public record SetDomainHandle(DomainId domain, UUID handle) implements Hypercall {}
