package io.hypercalld.iommu.hypercall;

import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.hypercall.Hypercall;
import io.hypercalld.core.hypercall.OrElse;

/**
 * {@code unbind_pt_irq}: the reverse of {@link BindPtIrq}; without effect on a domain without
 * IOMMU.
 *
 * <ul>
 *   <li>{@code ESRCH} no such domain; {@code EPERM} as for {@link BindPtIrq}
 *   <li>{@code EINVAL} the domain is PV, never bound anything, or not this line
 *   <li>{@code EOPNOTSUPP} any type but PCI, MSI and MSI_TRANSLATE
 * </ul>
 *
 * @see "Xen XEN_DOMCTL_unbind_pt_irq"
 */
public record UnbindPtIrq(
    DomainId domain, long machineIrq, int irqType, @OrElse("{}") PtIrqBinding u)
    implements Hypercall {}
