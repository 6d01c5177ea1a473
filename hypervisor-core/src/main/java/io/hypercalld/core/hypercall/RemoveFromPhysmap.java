package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.p2m.Gfn;

/**
 * {@code remove_from_physmap}: unmap a guest frame; its frame stays charged to the domain.
 *
 * <ul>
 *   <li>{@code EINVAL} a start_extent
 *   <li>{@code ESRCH} no such domain
 *   <li>{@code EACCES} the domain is PV
 *   <li>{@code EPERM} not privileged
 *   <li>{@code ENOENT} no page there
 *   <li>{@code ENOMEM} no page to split a larger leaf
 * </ul>
 *
 * @see "Xen XENMEM_remove_from_physmap"
 */
public record RemoveFromPhysmap(DomainId domid, Gfn gpfn, @OrElse("0") long startExtent)
    implements Hypercall {
  /** The request as everybody makes it. */
  public RemoveFromPhysmap(DomainId domid, Gfn gpfn) {
    this(domid, gpfn, 0);
  }
}
