package io.hypercalld.iommu.hypercall;

import io.hypercalld.core.hypercall.Hypercall;
import io.hypercalld.core.p2m.Gfn;

/**
 * {@code unmap_pages}: take pages from the devices in a context, which units have forgotten when
 * this returns. Where one is refused those before it are gone, and {@code unmapped} says how many.
 *
 * <ul>
 *   <li>{@code EPERM}, {@code ENOSYS} as for {@link QueryCapabilities}
 *   <li>{@code E2BIG} more than 256 pages
 *   <li>{@code EINVAL} there is no such context, or it is the first
 *   <li>{@code ENOENT} nothing is mapped there
 * </ul>
 *
 * @param dfn the first frame as devices see it
 * @see "spec/documents.md S1-D22"
 */
public record UnmapPages(int ctxNo, Gfn dfn, long nrPages) implements Hypercall {
  /** How many pages were unmapped. */
  public record Progress(long unmapped) {}
}
