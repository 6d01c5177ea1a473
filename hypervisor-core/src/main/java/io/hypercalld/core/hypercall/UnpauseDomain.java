package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.DomainId;

/**
 * {@code unpausedomain}: take back one {@link PauseDomain}.
 *
 * <ul>
 *   <li>{@code ESRCH}, {@code EPERM} as for {@link DestroyDomain}
 *   <li>{@code EINVAL} not paused
 * </ul>
 *
 * @see "Xen XEN_DOMCTL_unpausedomain"
 */
public record UnpauseDomain(DomainId domain) implements Hypercall {}
