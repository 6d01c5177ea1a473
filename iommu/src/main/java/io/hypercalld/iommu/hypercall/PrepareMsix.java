package io.hypercalld.iommu.hypercall;

import io.hypercalld.core.hypercall.Hypercall;
import io.hypercalld.core.hypercall.OrElse;

/**
 * {@code prepare_msix}: the hardware domain is about to have its driver use MSI-X of a function:
 * the hypervisor takes the table into its care.
 *
 * <ul>
 *   <li>{@code EPERM} the caller is no control domain
 *   <li>{@code ENODEV} unknown, or a function without MSI-X; {@code EINVAL} bus or devfn out of
 *       range
 *   <li>{@code EBUSY} it is prepared already
 * </ul>
 *
 * @see "Xen PHYSDEVOP_prepare_msix"
 */
public record PrepareMsix(@OrElse("0") long seg, long bus, long devfn) implements Hypercall {}
