package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.DomainId;

/**
 * {@code maximum_reservation}: answers how many frames may be charged to a domain.
 *
 * <ul>
 *   <li>{@code EINVAL} a start_extent
 *   <li>{@code ESRCH} no such domain
 *   <li>{@code EPERM} not privileged
 * </ul>
 *
 * @see "Xen XENMEM_maximum_reservation"
 */
public record MaximumReservation(DomainId domid, @OrElse("0") long startExtent)
    implements Hypercall {
  /** The request as everybody makes it. */
  public MaximumReservation(DomainId domid) {
    this(domid, 0);
  }
}
