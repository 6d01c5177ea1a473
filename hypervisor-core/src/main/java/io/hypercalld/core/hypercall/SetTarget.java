package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.DomainId;

/**
 * {@code set_target}: make a domain the device model of another.
 *
 * <ul>
 *   <li>{@code ESRCH} no such domain or target
 *   <li>{@code EINVAL} the target is the domain itself, or it has one already
 *   <li>{@code EOPNOTSUPP} the target is PV
 *   <li>{@code EPERM} not privileged
 * </ul>
 *
 * @see "Xen XEN_DOMCTL_set_target"
 */
public record SetTarget(DomainId domain, DomainId target) implements Hypercall {}
