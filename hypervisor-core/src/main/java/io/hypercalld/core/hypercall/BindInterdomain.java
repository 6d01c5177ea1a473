package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.DomainId;

/**
 * {@code bind_interdomain}: connect a new port with one that waits for the caller. Answers an
 * {@link EventPorts.Bound}.
 *
 * <ul>
 *   <li>{@code ESRCH} no such domain
 *   <li>{@code EINVAL} dying; no such port, or it does not wait for the caller
 *   <li>{@code ENOSPC} no port is free
 * </ul>
 *
 * @see "Xen EVTCHNOP_bind_interdomain"
 */
public record BindInterdomain(DomainId remoteDom, long remotePort) implements Hypercall {}
