package io.hypercalld.iommu.hypercall;

import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.hypercall.Hypercall;
import io.hypercalld.core.hypercall.OrElse;
import io.hypercalld.iommu.pci.Sbdf;

/**
 * {@code test_assign_device}: ask whether a device could be assigned as far as ownership goes.
 *
 * <ul>
 *   <li>{@code ESRCH} no such domain; {@code EPERM} the caller is no control domain
 *   <li>{@code EOPNOTSUPP} no IOMMU
 *   <li>{@code EINVAL} the caller itself, any flag, an unknown device, or one that a guest owns
 *   <li>{@code ENODEV} not a PCI device
 * </ul>
 *
 * @param domain {@link DomainId#INVALID} where no particular domain is meant
 * @see "Xen XEN_DOMCTL_test_assign_device"
 */
public record TestAssignDevice(
    @OrElse("32756") DomainId domain,
    Sbdf machineSbdf,
    @OrElse("0") long dev,
    @OrElse("0") long flags)
    implements Hypercall {}
