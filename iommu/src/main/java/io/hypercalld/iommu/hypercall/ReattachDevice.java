package io.hypercalld.iommu.hypercall;

import io.hypercalld.core.hypercall.Hypercall;
import io.hypercalld.iommu.pci.Sbdf;

/**
 * {@code reattach_device}: point one of the caller's devices at another of its address spaces, by
 * one swap of its context entry.
 *
 * <ul>
 *   <li>{@code EPERM}, {@code ENOSYS} as for {@link QueryCapabilities}
 *   <li>{@code EINVAL} there is no such context
 *   <li>{@code ENOENT} the caller has no such device; {@code ENODEV} no unit translates for it
 *   <li>{@code EBUSY} a virtual IOMMU decides where it points, or no domain-id of its unit is free
 *   <li>{@code ENOMEM} no frame for a table; {@code EIO} the unit does not obey
 * </ul>
 *
 * @param ctxNo 0 for the caller's own memory
 * @see "spec/documents.md S1-D22"
 */
public record ReattachDevice(int ctxNo, Sbdf machineSbdf) implements Hypercall {}
