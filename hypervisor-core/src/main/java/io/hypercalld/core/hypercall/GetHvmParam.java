package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.DomainId;

/**
 * {@code get_param}: answers an {@link HvmParam}.
 *
 * <ul>
 *   <li>{@code EINVAL} no such parameter; a PV domain
 *   <li>{@code ESRCH} no such domain
 *   <li>{@code EPERM} not privileged, or a guest may not read it
 * </ul>
 *
 * @see "Xen HVMOP_get_param"
 */
public record GetHvmParam(DomainId domid, long index) implements Hypercall {}
