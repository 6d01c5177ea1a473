package io.hypercalld.ioreq.hypercall;

import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.hypercall.Hypercall;
import io.hypercalld.core.hypercall.OrElse;
import io.hypercalld.core.p2m.Gfn;

/**
 * {@code relocate_memory}: move guest frames, as {@code add_to_physmap} with space gmfn_range.
 *
 * <ul>
 *   <li>{@code ESRCH} no such domain, {@code EPERM} itself or not its device model, {@code EINVAL}
 *       a PV domain
 *   <li>{@code EINVAL} {@code pad} not 0; as {@link io.hypercalld.core.hypercall.AddToPhysmap}
 * </ul>
 *
 * @param size guest frames
 * @see "Xen XEN_DMOP_relocate_memory"
 */
public record RelocateMemory(
    DomainId domid, long size, @OrElse("0") long pad, Gfn srcGfn, Gfn dstGfn)
    implements Hypercall {}
