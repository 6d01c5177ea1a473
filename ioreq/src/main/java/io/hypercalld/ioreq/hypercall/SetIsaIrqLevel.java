package io.hypercalld.ioreq.hypercall;

import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.hypercall.Hypercall;
import io.hypercalld.core.hypercall.OrElse;

/**
 * {@code set_isa_irq_level}: raise or lower an ISA interrupt.
 *
 * <ul>
 *   <li>{@code ESRCH} no such domain, {@code EPERM} itself or not its device model, {@code EINVAL}
 *       a PV domain
 *   <li>{@code EINVAL} no such interrupt, or a level other than 0 and 1
 * </ul>
 *
 * @see "Xen XEN_DMOP_set_isa_irq_level"
 */
public record SetIsaIrqLevel(DomainId domid, long isaIrq, @OrElse("0") long level)
    implements Hypercall {}
