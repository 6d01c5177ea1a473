package io.hypercalld.core.hypercall;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.DomainId;
import java.util.Optional;

/**
 * The arguments that the three operations on a domain's reservation have in common.
 *
 * @see "xen/include/public/memory.h, struct xen_memory_reservation"
 */
sealed interface ReservationRequest extends Hypercall
    permits PopulatePhysmap, IncreaseReservation, DecreaseReservation {
  DomainId domid();

  /** Guest frames; frames of the machine for a PV domain. */
  GuestFrames extentStart();

  /** How many extents; where left out, as many as the list has. */
  Optional<Long> nrExtents();

  /** log2 of the frames of each extent. */
  long extentOrder();

  /** {@code XENMEMF_*}. */
  Word memFlags();

  /** How many extents were done before: where a request that was preempted goes on. */
  long startExtent();

  /** The request from another extent on. */
  ReservationRequest startingAt(long extent);

  /** How many extents are wanted, an unsigned number. */
  default long wanted() {
    return nrExtents().orElseGet(extentStart()::count);
  }
}
