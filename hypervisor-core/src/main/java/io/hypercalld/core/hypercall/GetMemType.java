package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.p2m.Gfn;

/**
 * {@code get_mem_type}: what kind of memory a guest frame is, as {@link MemType}.
 *
 * <ul>
 *   <li>{@code ESRCH} no such domain, {@code EPERM} not privileged, {@code EINVAL} a PV domain
 * </ul>
 *
 * @see "Xen HVMOP_get_mem_type"
 */
public record GetMemType(DomainId domid, Gfn pfn) implements Hypercall {}
