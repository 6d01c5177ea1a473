package io.hypercalld.core.hypercall;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.DomainId;
import java.util.Optional;

/**
 * {@code decrease_reservation}: unmap guest frames and free what was behind them.
 *
 * <p>Answers how many extents are done, never an errno: the first page of an extent that maps
 * nothing, a device's page or somebody else's ends it, and pages before it are gone.
 *
 * @see "Xen XENMEM_decrease_reservation"
 */
public record DecreaseReservation(
    DomainId domid,
    @OrElse("[]") GuestFrames extentStart,
    @OrElse("null") Optional<Long> nrExtents,
    @OrElse("0") long extentOrder,
    @OrElse("0") Word memFlags,
    @OrElse("0") long startExtent)
    implements ReservationRequest {
  /** A request from its first extent on. */
  public DecreaseReservation(
      DomainId domid,
      GuestFrames extentStart,
      Optional<Long> nrExtents,
      long extentOrder,
      Word memFlags) {
    this(domid, extentStart, nrExtents, extentOrder, memFlags, 0);
  }

  @Override
  public DecreaseReservation startingAt(long extent) {
    return new DecreaseReservation(domid, extentStart, nrExtents, extentOrder, memFlags, extent);
  }
}
