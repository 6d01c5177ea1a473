package io.hypercalld.ioreq.hypercall;

import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.hypercall.Hypercall;
import io.hypercalld.core.hypercall.OrElse;

/**
 * {@code set_pci_link_route}: lead a PCI link to an ISA interrupt.
 *
 * <ul>
 *   <li>{@code ESRCH} no such domain, {@code EPERM} itself or not its device model, {@code EINVAL}
 *       a PV domain
 *   <li>{@code EINVAL} no such link, or no such interrupt
 * </ul>
 *
 * @param isaIrq 0 to lead it nowhere
 * @see "Xen XEN_DMOP_set_pci_link_route"
 */
public record SetPciLinkRoute(DomainId domid, long link, @OrElse("0") long isaIrq)
    implements Hypercall {}
