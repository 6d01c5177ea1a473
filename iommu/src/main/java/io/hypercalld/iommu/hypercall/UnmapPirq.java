package io.hypercalld.iommu.hypercall;

import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.hypercall.Hypercall;

/**
 * {@code unmap_pirq}: take an interrupt of the machine back from a domain.
 *
 * <ul>
 *   <li>{@code ESRCH} no such domain; {@code EPERM} the caller is not its device model
 *   <li>{@code EINVAL} the domain has no interrupt of that number
 *   <li>{@code EBUSY} it is one of a block of messages, and not the first
 * </ul>
 *
 * @see "Xen PHYSDEVOP_unmap_pirq"
 */
public record UnmapPirq(DomainId domid, long pirq) implements Hypercall {}
