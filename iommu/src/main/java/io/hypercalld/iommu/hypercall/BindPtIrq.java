package io.hypercalld.iommu.hypercall;

import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.hypercall.Hypercall;
import io.hypercalld.core.hypercall.OrElse;

/**
 * {@code bind_pt_irq}: what an HVM domain is to get of an interrupt of the machine that it has.
 *
 * <ul>
 *   <li>{@code ESRCH} no such domain, or one created without IOMMU
 *   <li>{@code EPERM} the caller is not its device model, or may not have the interrupt, or nobody
 *       mapped it
 *   <li>{@code EINVAL} the domain is PV, there is no such interrupt or line
 *   <li>{@code EBUSY} it is bound in another way, or another domain has it and does not share
 *   <li>{@code EOPNOTSUPP} any type but PCI, MSI and MSI_TRANSLATE
 * </ul>
 *
 * @param machineIrq the number that the domain knows it under
 * @param irqType PCI 0, ISA 1, MSI 2, MSI_TRANSLATE 3, SPI 4
 * @see "Xen XEN_DOMCTL_bind_pt_irq"
 */
public record BindPtIrq(DomainId domain, long machineIrq, int irqType, @OrElse("{}") PtIrqBinding u)
    implements Hypercall {
  public static final int TYPE_PCI = 0;
  public static final int TYPE_MSI = 2;
  public static final int TYPE_MSI_TRANSLATE = 3;
}
