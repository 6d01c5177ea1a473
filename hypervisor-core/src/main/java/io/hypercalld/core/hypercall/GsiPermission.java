package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.DomainId;

/**
 * {@code gsi_permission}: as {@link IrqPermission}, by the machine's own number.
 *
 * <ul>
 *   <li>{@code ESRCH}, {@code EPERM} as for {@link DestroyDomain}
 *   <li>{@code EINVAL} no such interrupt, unknown flags, {@code pad} not 0
 *   <li>{@code EPERM} the caller does not have it itself
 * </ul>
 *
 * @param flags grant 0x1
 * @see "Xen XEN_DOMCTL_gsi_permission"
 */
public record GsiPermission(
    DomainId domain, long gsi, @OrElse("0") long flags, @OrElse("0") long pad)
    implements Hypercall {}
