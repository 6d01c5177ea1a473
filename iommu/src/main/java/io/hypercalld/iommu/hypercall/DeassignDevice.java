package io.hypercalld.iommu.hypercall;

import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.hypercall.Hypercall;
import io.hypercalld.core.hypercall.OrElse;
import io.hypercalld.iommu.pci.Sbdf;

/**
 * {@code deassign_device}: take a device from its owner, into quarantine, or from there back to the
 * hardware domain.
 *
 * <ul>
 *   <li>{@code ESRCH} no such domain; {@code EPERM} the caller is no control domain
 *   <li>{@code EOPNOTSUPP} the domain was created without IOMMU
 *   <li>{@code EINVAL} the caller itself, or any flag
 *   <li>{@code ENODEV} not a PCI device, or the domain does not own it
 *   <li>{@code EIO} the unit did not obey
 * </ul>
 *
 * @see "Xen XEN_DOMCTL_deassign_device"
 */
public record DeassignDevice(
    DomainId domain, Sbdf machineSbdf, @OrElse("0") long dev, @OrElse("0") long flags)
    implements Hypercall {}
