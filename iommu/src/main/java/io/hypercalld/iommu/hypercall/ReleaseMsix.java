package io.hypercalld.iommu.hypercall;

import io.hypercalld.core.hypercall.Hypercall;
import io.hypercalld.core.hypercall.OrElse;

/**
 * {@code release_msix}: the hardware domain is done with MSI-X of a function.
 *
 * <ul>
 *   <li>{@code EPERM} the caller is no control domain
 *   <li>{@code ENODEV} unknown, or a function without MSI-X; {@code EINVAL} bus or devfn out of
 *       range
 *   <li>{@code EBUSY} it is not prepared
 * </ul>
 *
 * @see "Xen PHYSDEVOP_release_msix"
 */
public record ReleaseMsix(@OrElse("0") long seg, long bus, long devfn) implements Hypercall {}
