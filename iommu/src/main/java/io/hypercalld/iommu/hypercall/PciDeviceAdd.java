package io.hypercalld.iommu.hypercall;

import io.hypercalld.core.hypercall.Hypercall;
import io.hypercalld.core.hypercall.OrElse;

/**
 * {@code pci_device_add}: the hardware domain reports a function that it found. It becomes the
 * hardware domain's; one that is known already stays as it is.
 *
 * <ul>
 *   <li>{@code EPERM} the caller is no control domain
 *   <li>{@code ENODEV} the machine has no such function, or it is a virtual function of one that
 *       the hypervisor does not know
 *   <li>{@code EINVAL} bus or devfn out of range; {@code EBUSY}, {@code ENOMEM}, {@code EIO} it
 *       cannot be mapped; it then stays unknown
 * </ul>
 *
 * @param flags bit 0 extended function, bit 1 virtual function, bit 2 proximity domain given
 * @param physfn of a virtual function, its physical function
 * @see "Xen PHYSDEVOP_pci_device_add"
 */
public record PciDeviceAdd(
    @OrElse("0") long seg,
    long bus,
    long devfn,
    @OrElse("0") long flags,
    @OrElse("{\"bus\":0,\"devfn\":0}") Function physfn)
    implements Hypercall {
  /** Flag: the function is a virtual one. */
  public static final long VIRTFN = 2;

  /** A function of the same segment. */
  public record Function(@OrElse("0") long bus, @OrElse("0") long devfn) {}
}
