package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.DomainId;

/**
 * {@code max_vcpus}: allocate a domain's vCPUs.
 *
 * <ul>
 *   <li>{@code ESRCH}, {@code EPERM} as for {@link DestroyDomain}
 *   <li>{@code EINVAL} itself, or another number than it was created with
 * </ul>
 *
 * @see "Xen XEN_DOMCTL_max_vcpus"
 */
public record MaxVcpus(DomainId domain, long max) implements Hypercall {}
