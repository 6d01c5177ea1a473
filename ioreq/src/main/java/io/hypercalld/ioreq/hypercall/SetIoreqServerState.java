package io.hypercalld.ioreq.hypercall;

import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.hypercall.Hypercall;
import io.hypercalld.core.hypercall.OrElse;

/**
 * {@code set_ioreq_server_state}: have a server take requests, or not.
 *
 * <ul>
 *   <li>{@code ESRCH} no such domain, {@code EPERM} itself or not its device model, {@code EINVAL}
 *       a PV domain
 *   <li>{@code EINVAL} {@code pad} not 0; {@code ENOENT} no such server; {@code EPERM} another
 *       emulator's
 * </ul>
 *
 * @param enabled anything but 0 for yes
 * @see "Xen XEN_DMOP_set_ioreq_server_state"
 */
public record SetIoreqServerState(DomainId domid, long id, long enabled, @OrElse("0") long pad)
    implements Hypercall {}
