package io.hypercalld.ioreq.hypercall;

import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.hypercall.Hypercall;
import io.hypercalld.core.hypercall.OrElse;

/**
 * {@code destroy_ioreq_server}: take a server away with its ranges, ports and pages. What waits for
 * it reads all ones. The pages that it claimed stay as they are, unless the domain's policy says
 * otherwise.
 *
 * <ul>
 *   <li>{@code ESRCH} no such domain, {@code EPERM} itself or not its device model, {@code EINVAL}
 *       a PV domain
 *   <li>{@code EINVAL} {@code pad} not 0; {@code ENOENT} no such server; {@code EPERM} another
 *       emulator's
 * </ul>
 *
 * @see "Xen XEN_DMOP_destroy_ioreq_server"
 */
public record DestroyIoreqServer(DomainId domid, long id, @OrElse("0") long pad)
    implements Hypercall {}
