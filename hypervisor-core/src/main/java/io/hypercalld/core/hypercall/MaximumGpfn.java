package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.DomainId;

/**
 * {@code maximum_gpfn}: answers the highest guest frame ever mapped.
 *
 * <ul>
 *   <li>{@code EINVAL} a start_extent
 *   <li>{@code ESRCH} no such domain
 *   <li>{@code EPERM} not privileged
 * </ul>
 *
 * @see "Xen XENMEM_maximum_gpfn"
 */
public record MaximumGpfn(DomainId domid, @OrElse("0") long startExtent) implements Hypercall {
  /** The request as everybody makes it. */
  public MaximumGpfn(DomainId domid) {
    this(domid, 0);
  }
}
