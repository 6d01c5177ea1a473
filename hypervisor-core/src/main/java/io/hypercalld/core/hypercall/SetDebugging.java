package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.DomainId;

/**
 * {@code setdebugging}: say whether a debugger is attached to a domain.
 *
 * <ul>
 *   <li>{@code ESRCH}, {@code EPERM} as for {@link DestroyDomain}
 *   <li>{@code EINVAL} itself
 * </ul>
 *
 * @param enable 0 for no
 * @see "Xen XEN_DOMCTL_setdebugging"
 */
public record SetDebugging(DomainId domain, int enable) implements Hypercall {}
