package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.DomainId;

/**
 * {@code getvcpuinfo}: how a vCPU is, as {@link VcpuReport}.
 *
 * <ul>
 *   <li>{@code ESRCH}, {@code EPERM} as for {@link DestroyDomain}
 *   <li>{@code ENOENT} no such vCPU
 * </ul>
 *
 * @see "Xen XEN_DOMCTL_getvcpuinfo"
 */
public record GetVcpuInfo(DomainId domain, long vcpu) implements Hypercall {}
