package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.DomainId;

/**
 * {@code sendtrigger}: press a button of a domain's machine. Nothing in a guest looks at them here.
 *
 * <ul>
 *   <li>{@code ESRCH}, {@code EPERM} as for {@link DestroyDomain}
 *   <li>{@code ESRCH} no such vCPU
 *   <li>{@code EINVAL} power and sleep, for a PV domain
 *   <li>{@code ENOSYS} no such button
 * </ul>
 *
 * @param trigger NMI 0, power 3, sleep 4
 * @see "Xen XEN_DOMCTL_sendtrigger"
 */
public record SendTrigger(DomainId domain, long trigger, @OrElse("0") long vcpu)
    implements Hypercall {}
