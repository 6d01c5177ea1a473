package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.DomainId;

/**
 * {@code current_reservation}: answers how many frames are charged to a domain.
 *
 * <ul>
 *   <li>{@code EINVAL} a start_extent
 *   <li>{@code ESRCH} no such domain
 *   <li>{@code EPERM} not privileged
 * </ul>
 *
 * @see "Xen XENMEM_current_reservation"
 */
public record CurrentReservation(DomainId domid, @OrElse("0") long startExtent)
    implements Hypercall {
  /** The request as everybody makes it. */
  public CurrentReservation(DomainId domid) {
    this(domid, 0);
  }
}
