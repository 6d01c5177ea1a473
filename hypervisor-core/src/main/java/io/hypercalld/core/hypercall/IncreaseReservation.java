package io.hypercalld.core.hypercall;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.DomainId;
import java.util.Optional;

/**
 * {@code increase_reservation}: allocate frames for a domain; only a PV domain is told which.
 *
 * <p>Answers how many extents are done, never an errno. For other domains the frames are orphans:
 * charged, and mapped nowhere.
 *
 * @see "Xen XENMEM_increase_reservation"
 */
public record IncreaseReservation(
    DomainId domid,
    @OrElse("[]") GuestFrames extentStart,
    @OrElse("null") Optional<Long> nrExtents,
    @OrElse("0") long extentOrder,
    @OrElse("0") Word memFlags,
    @OrElse("0") long startExtent)
    implements ReservationRequest {
  /** A request from its first extent on. */
  public IncreaseReservation(
      DomainId domid,
      GuestFrames extentStart,
      Optional<Long> nrExtents,
      long extentOrder,
      Word memFlags) {
    this(domid, extentStart, nrExtents, extentOrder, memFlags, 0);
  }

  @Override
  public IncreaseReservation startingAt(long extent) {
    return new IncreaseReservation(domid, extentStart, nrExtents, extentOrder, memFlags, extent);
  }
}
