package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.DomainId;

/**
 * {@code get_pod_target}: answers a {@link PodTarget}.
 *
 * <ul>
 *   <li>{@code ESRCH} no such domain
 *   <li>{@code EINVAL} a PV domain; {@code start_extent} not 0
 *   <li>{@code EPERM} the caller is no control domain
 * </ul>
 *
 * @see "Xen XENMEM_get_pod_target"
 */
public record GetPodTarget(DomainId domid, @OrElse("0") long startExtent) implements Hypercall {}
