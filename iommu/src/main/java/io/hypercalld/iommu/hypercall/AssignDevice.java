package io.hypercalld.iommu.hypercall;

import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.hypercall.Hypercall;
import io.hypercalld.core.hypercall.OrElse;
import io.hypercalld.iommu.pci.Sbdf;

/**
 * {@code assign_device}: give a device of the hardware domain, or from quarantine, to a domain. On
 * any error it stays where it was.
 *
 * <ul>
 *   <li>{@code ESRCH} no such domain; {@code EPERM} the caller is no control domain, the device is
 *       a host bridge, or its reserved region is shared and {@code flags} does not relax that
 *   <li>{@code EOPNOTSUPP} the domain was created without IOMMU, or the device has a reserved
 *       region and lies behind a bridge
 *   <li>{@code EINVAL} the caller itself, a dying domain, an unknown flag
 *   <li>{@code ENODEV} not a PCI device, an unknown one, or one that no unit covers
 *   <li>{@code EBUSY} another guest owns it or a device behind the same bridge, every domain-id of
 *       its unit is in use, or its reserved region is in the way
 *   <li>{@code EXDEV} the domain pages, shares, populates on demand or logs dirty memory: what a
 *       device, which cannot fault, must not meet
 *   <li>{@code EADDRINUSE} its reserved region overlaps another; {@code EBADF} it is broken; {@code
 *       ENOMEM} no frame for a table; {@code EIO} the unit did not obey
 * </ul>
 *
 * @param domain the new owner; {@link DomainId#IO} quarantines
 * @param dev kind of device: 0 for PCI
 * @param flags bit 0: reserved regions are relaxed
 * @see "Xen XEN_DOMCTL_assign_device"
 */
public record AssignDevice(
    DomainId domain, Sbdf machineSbdf, @OrElse("0") long dev, @OrElse("0") long flags)
    implements Hypercall {}
