package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.DomainId;

/**
 * {@code irq_permission}: let a domain have an interrupt, or not any more.
 *
 * <ul>
 *   <li>{@code ESRCH}, {@code EPERM} as for {@link DestroyDomain}
 *   <li>{@code EINVAL} no such interrupt
 *   <li>{@code EPERM} the caller has mapped none of that number, or does not have it itself
 * </ul>
 *
 * @param pirq of the caller's
 * @param allowAccess 0 to revoke
 * @see "Xen XEN_DOMCTL_irq_permission"
 */
public record IrqPermission(DomainId domain, long pirq, int allowAccess) implements Hypercall {}
