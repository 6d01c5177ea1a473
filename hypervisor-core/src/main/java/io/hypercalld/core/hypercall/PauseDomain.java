package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.DomainId;

/**
 * {@code pausedomain}: stop a domain's vCPUs; counted.
 *
 * <ul>
 *   <li>{@code ESRCH}, {@code EPERM} as for {@link DestroyDomain}
 *   <li>{@code EINVAL} itself
 *   <li>{@code EOVERFLOW} paused 255 times already
 * </ul>
 *
 * @see "Xen XEN_DOMCTL_pausedomain"
 */
public record PauseDomain(DomainId domain) implements Hypercall {}
