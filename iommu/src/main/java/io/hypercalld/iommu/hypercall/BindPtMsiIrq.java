package io.hypercalld.iommu.hypercall;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.hypercall.Hypercall;
import io.hypercalld.core.hypercall.OrElse;

/**
 * {@code bind_pt_msi_irq}: have an interrupt of the machine arrive as the message that the domain
 * wrote, all of its destination included.
 *
 * <ul>
 *   <li>{@code ESRCH} no such domain, or one created without IOMMU
 *   <li>{@code EPERM} the domain itself, or the caller is not its device model, or may not have the
 *       interrupt, or nobody mapped it
 *   <li>{@code EINVAL} the domain is PV
 *   <li>{@code EBUSY} it is bound in another way, or another domain has it and does not share
 * </ul>
 *
 * @param machineIrq the number that the domain knows it under
 * @param unmasked whether the function may send it from now on: anything but 0
 * @param gtable where the domain sees the MSI-X table; 0 where it has none
 * @see "spec/documents.md S1-D16"
 */
public record BindPtMsiIrq(
    DomainId domid,
    long machineIrq,
    Word addr,
    Word data,
    @OrElse("0") Word gtable,
    @OrElse("0") long unmasked)
    implements Hypercall {}
