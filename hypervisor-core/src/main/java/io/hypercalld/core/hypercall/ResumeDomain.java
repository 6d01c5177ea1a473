package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.DomainId;

/**
 * {@code resumedomain}: take a domain's end back and let its vCPUs run; no effect on one that has
 * not ended.
 *
 * <ul>
 *   <li>{@code ESRCH}, {@code EPERM} as for {@link DestroyDomain}
 *   <li>{@code EINVAL} itself
 * </ul>
 *
 * @see "Xen XEN_DOMCTL_resumedomain"
 */
public record ResumeDomain(DomainId domain) implements Hypercall {}
