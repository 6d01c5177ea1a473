package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.DomainId;

/**
 * {@code set_access_required}: whether a domain crashes that does what a page's access forbids
 * while no monitor listens. If not, the page gets full access instead.
 *
 * <ul>
 *   <li>{@code ESRCH} no such domain
 *   <li>{@code EPERM} the caller is no control domain, or the domain itself
 * </ul>
 *
 * @param accessRequired 0 or 1
 * @see "Xen XEN_DOMCTL_set_access_required"
 */
public record SetAccessRequired(DomainId domain, long accessRequired) implements Hypercall {}
