package io.hypercalld.ioreq.hypercall;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.hypercall.Hypercall;
import io.hypercalld.core.hypercall.OrElse;

/**
 * {@code inject_msi}: deliver a message to vCPUs.
 *
 * <ul>
 *   <li>{@code ESRCH} no such domain, {@code EPERM} itself or not its device model, {@code EINVAL}
 *       a PV domain
 *   <li>{@code EINVAL} {@code pad} not 0; a delivery that is neither fixed nor lowest priority
 *   <li>{@code ESRCH} lowest priority, and no vCPU is eligible
 *   <li>without a vector: {@code ERANGE} physical interrupt 0; {@code EINVAL} no such one; {@code
 *       EBUSY} another one is known by such messages already
 * </ul>
 *
 * @see "Xen XEN_DMOP_inject_msi"
 */
public record InjectMsi(DomainId domid, Word data, @OrElse("0") long pad, Word addr)
    implements Hypercall {}
