package io.hypercalld.iommu.hypercall;

import io.hypercalld.core.hypercall.Hypercall;
import io.hypercalld.core.hypercall.OrElse;

/**
 * {@code pci_device_remove}: the hardware domain reports that a function is gone, whoever owns it.
 *
 * <ul>
 *   <li>{@code EPERM} the caller is no control domain
 *   <li>{@code ENODEV} unknown; {@code EINVAL} bus or devfn out of range
 *   <li>{@code EBUSY} it still has virtual functions: it and all of them are broken from now on
 * </ul>
 *
 * @see "Xen PHYSDEVOP_pci_device_remove"
 */
public record PciDeviceRemove(@OrElse("0") long seg, long bus, long devfn) implements Hypercall {}
