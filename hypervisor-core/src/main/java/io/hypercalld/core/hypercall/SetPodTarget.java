package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.DomainId;

/**
 * {@code set_pod_target}: gives a domain of which some waits to be populated the frames to populate
 * it from.
 *
 * <p>Nothing happens where nothing waits although something is mapped, where the domain is dying,
 * or where it has more than {@code target_pages}. Answers a {@link PodTarget}.
 *
 * <ul>
 *   <li>{@code ESRCH} no such domain
 *   <li>{@code EINVAL} a PV domain; more than the domain may have; {@code start_extent} not 0
 *   <li>{@code EPERM} the caller is no control domain
 *   <li>{@code ENOTEMPTY} the domain has devices, or memory or ports of devices
 *   <li>{@code ENOMEM} the machine has too few frames; those that it had are in the cache
 * </ul>
 *
 * @param targetPages frames that the domain is to have, those in the cache included
 * @see "Xen XENMEM_set_pod_target"
 */
public record SetPodTarget(DomainId domid, long targetPages, @OrElse("0") long startExtent)
    implements Hypercall {}
