package io.hypercalld.iommu.hypercall;

import io.hypercalld.core.hypercall.Hypercall;
import io.hypercalld.core.hypercall.OrElse;

/**
 * {@code pci_device_reset}: the hardware domain reports that it has reset a function. Only what a
 * virtual configuration space holds is reset, and a hardware domain that is PV has none.
 *
 * <ul>
 *   <li>{@code EPERM} the caller is no control domain
 *   <li>{@code EINVAL} an unknown kind of reset, bus or devfn out of range; {@code ENODEV} unknown
 * </ul>
 *
 * @param flags kind of reset, bits 1:0: 0 of the function, 1 of the bus, 2 of the slot, 3 of the
 *     power state
 * @see "Xen PHYSDEVOP_pci_device_reset"
 */
public record PciDeviceReset(Device dev, @OrElse("0") long flags) implements Hypercall {
  static final long KINDS = 3;

  /** A function by its address. */
  public record Device(@OrElse("0") long seg, long bus, long devfn) {}
}
