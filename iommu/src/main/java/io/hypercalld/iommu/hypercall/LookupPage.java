package io.hypercalld.iommu.hypercall;

import io.hypercalld.core.hypercall.Hypercall;
import io.hypercalld.core.p2m.Gfn;

/**
 * {@code lookup_page}: which guest frame is mapped at an address of a context's.
 *
 * <ul>
 *   <li>{@code EPERM}, {@code ENOSYS} as for {@link QueryCapabilities}
 *   <li>{@code EINVAL} there is no such context, or it is the first
 *   <li>{@code ENOENT} nothing is mapped there
 * </ul>
 *
 * @param dfn the frame as devices see it
 * @see "spec/documents.md S1-D22"
 */
public record LookupPage(int ctxNo, Gfn dfn) implements Hypercall {
  /** The guest frame. */
  public record Found(Gfn gfn) {}
}
