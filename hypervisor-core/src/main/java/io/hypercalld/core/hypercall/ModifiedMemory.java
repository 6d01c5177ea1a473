package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.p2m.Gfn;
import java.util.List;
import java.util.Optional;

/**
 * {@code modified_memory}: a device model wrote to a guest's memory by itself. Nothing is looked at
 * unless dirty pages are logged. Extents are handled from the last to the first.
 *
 * <ul>
 *   <li>{@code ESRCH} no such domain, {@code EPERM} itself or not its device model, {@code EINVAL}
 *       a PV domain
 *   <li>{@code EINVAL} not two buffers; fewer extents than said; an extent with {@code pad},
 *       without pages, or that ends at the highest guest frame or beyond
 * </ul>
 *
 * @param nrExtents where left out, as many as are listed
 * @param opaque pages of the last extent that were handled already
 * @param nrBufs buffers of the call
 * @param extents the second buffer
 * @see "Xen XEN_DMOP_modified_memory"
 */
public record ModifiedMemory(
    DomainId domid,
    @OrElse("null") Optional<Long> nrExtents,
    @OrElse("0") long opaque,
    @OrElse("null") Optional<Long> nrBufs,
    @OrElse("null") Optional<List<Extent>> extents)
    implements Hypercall {
  /** Pages that were written. */
  public record Extent(long nr, @OrElse("0") long pad, Gfn firstPfn) {}
}
