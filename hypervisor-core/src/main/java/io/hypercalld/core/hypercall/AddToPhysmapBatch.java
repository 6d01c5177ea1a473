package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.DomainId;
import java.util.Optional;

/**
 * {@code add_to_physmap_batch}: as {@link AddToPhysmap}, element by element.
 *
 * <p>Answers 0 with an errno for each element, and goes on after one that failed; only an element
 * whose guest frame is no number at all ends the call.
 *
 * <ul>
 *   <li>{@code EOPNOTSUPP} space gmfn_range; a foreign domain with space dev_mmio
 *   <li>{@code ENOSYS} space gmfn_foreign or grant_table, which are not simulated
 *   <li>{@code ESRCH}, {@code EACCES}, {@code EPERM} as for {@link AddToPhysmap}
 *   <li>{@code EFAULT} a list is shorter than the size
 *   <li>{@code EINVAL} a guest frame is no number
 * </ul>
 *
 * @param size elements; where left out, as many as the list of guest frames has
 * @see "Xen XENMEM_add_to_physmap_batch"
 */
public record AddToPhysmapBatch(
    DomainId domid,
    int space,
    @OrElse("0") int foreignDomid,
    GuestFrames idxs,
    GuestFrames gpfns,
    @OrElse("null") Optional<Integer> size)
    implements Hypercall {}
