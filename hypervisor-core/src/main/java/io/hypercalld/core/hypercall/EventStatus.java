package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.DomainId;

/**
 * {@code status}: what a port is. Answers an {@link EventPorts.Status}.
 *
 * <ul>
 *   <li>{@code ESRCH} no such domain
 *   <li>{@code EINVAL} no such port
 *   <li>{@code EPERM} neither itself nor its device model
 *   <li>{@code EACCES} the port is the hypervisor's
 * </ul>
 *
 * @see "Xen EVTCHNOP_status"
 */
public record EventStatus(DomainId dom, long port) implements Hypercall {}
