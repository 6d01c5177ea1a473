package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.DomainId;

/**
 * {@code destroydomain}: end a domain and take back what it holds.
 *
 * <p>A domain that somebody still refers to stays, dead; destroying it again answers 0.
 *
 * <ul>
 *   <li>{@code ESRCH} no such domain ({@code EPERM} to a caller that is no control domain)
 *   <li>{@code EPERM} not privileged
 *   <li>{@code EINVAL} itself
 * </ul>
 *
 * @see "Xen XEN_DOMCTL_destroydomain"
 */
public record DestroyDomain(DomainId domain) implements Hypercall {}
