package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.DomainId;

/**
 * {@code alloc_unbound}: open a port that another domain may bind to. Answers an {@link
 * EventPorts.Allocated}.
 *
 * <ul>
 *   <li>{@code ESRCH} no such domain
 *   <li>{@code EINVAL} dying, {@code ENOSPC} no port is free
 *   <li>{@code EPERM} neither itself nor its device model
 * </ul>
 *
 * @param dom whose port it will be
 * @param remoteDom who may bind; 0x7ff0 is the caller
 * @see "Xen EVTCHNOP_alloc_unbound"
 */
public record AllocUnbound(DomainId dom, DomainId remoteDom) implements Hypercall {}
