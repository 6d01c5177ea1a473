package io.hypercalld.core.hypercall;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.DomainId;

/**
 * {@code ioport_permission}: let a domain have ports, or not any more.
 *
 * <ul>
 *   <li>{@code ESRCH}, {@code EPERM} as for {@link DestroyDomain}
 *   <li>{@code EINVAL} no ports, or beyond 0xffff
 *   <li>{@code EPERM} the caller does not have them itself
 * </ul>
 *
 * @param allowAccess 0 to revoke
 * @see "Xen XEN_DOMCTL_ioport_permission"
 */
public record IoportPermission(DomainId domain, Word firstPort, Word nrPorts, int allowAccess)
    implements Hypercall {}
