package io.hypercalld.ioreq.hypercall;

import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.hypercall.Hypercall;
import io.hypercalld.core.hypercall.OrElse;

/**
 * {@code set_pci_intx_level}: raise or lower the interrupt line of a device on bus 0.
 *
 * <ul>
 *   <li>{@code ESRCH} no such domain, {@code EPERM} itself or not its device model, {@code EINVAL}
 *       a PV domain
 *   <li>{@code EINVAL} {@code domain} or {@code bus} not 0, no such device or line, or a level
 *       other than 0 and 1
 * </ul>
 *
 * @param intx line INTA 0 to INTD 3
 * @see "Xen XEN_DMOP_set_pci_intx_level"
 */
public record SetPciIntxLevel(
    DomainId domid,
    @OrElse("0") long domain,
    @OrElse("0") long bus,
    long device,
    long intx,
    long level)
    implements Hypercall {}
