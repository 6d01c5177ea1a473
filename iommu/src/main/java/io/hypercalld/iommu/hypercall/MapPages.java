package io.hypercalld.iommu.hypercall;

import io.hypercalld.core.hypercall.Hypercall;
import io.hypercalld.core.hypercall.OrElse;
import io.hypercalld.core.p2m.Gfn;

/**
 * {@code map_pages}: let the devices in a context reach pages of the caller's, or pages that it has
 * mapped of others'. Where one is refused those before it stay mapped, and {@code mapped} says how
 * many. A page that leaves its guest frame leaves the context, too.
 *
 * <ul>
 *   <li>{@code EPERM}, {@code ENOSYS} as for {@link QueryCapabilities}
 *   <li>{@code E2BIG} more than 256 pages
 *   <li>{@code EINVAL} there is no such context, or it is the first; no flag or an unknown one; an
 *       address of 2^39 and more; a guest frame without a page
 *   <li>{@code EPERM} a page that the caller may only read is to be writeable
 *   <li>{@code EADDRINUSE} something is mapped there; {@code ENOMEM} no frame for a table
 * </ul>
 *
 * @param gfn the first guest frame
 * @param dfn the first frame as devices see it
 * @param flags readable 1, writeable 2
 * @see "spec/documents.md S1-D22"
 */
public record MapPages(int ctxNo, Gfn gfn, Gfn dfn, long nrPages, @OrElse("3") long flags)
    implements Hypercall {
  /** How many pages were mapped. */
  public record Progress(long mapped) {}
}
