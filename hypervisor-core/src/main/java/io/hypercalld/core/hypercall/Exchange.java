package io.hypercalld.core.hypercall;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.DomainId;
import java.util.Optional;

/**
 * {@code exchange}: give frames of a PV domain's for others, of another order or lower. A domain
 * with a chosen {@code dmaMode}, other than identity, may as well, as on ia64: the new frames are
 * then under the guest frames given.
 *
 * <p>Goes chunk by chunk, a chunk being the larger of the two extents; what is exchanged before one
 * fails stays so, and {@code nr_exchanged} says how far it came, then too.
 *
 * <ul>
 *   <li>{@code EINVAL} a start_extent; the two domains, or the numbers of frames, differ; more
 *       exchanged than there is; a memory node; a frame that is nobody's or not exclusively the
 *       domain's
 *   <li>{@code EPERM} an extent too large for the caller; not privileged
 *   <li>{@code EFAULT} a list is shorter than the number of extents
 *   <li>{@code ESRCH} no such domain
 *   <li>{@code EOPNOTSUPP} the domain is translated and drives no devices
 *   <li>{@code ENOMEM} no such frames, or a shared page
 * </ul>
 *
 * @param nrExchanged input extents exchanged before
 * @see "Xen XENMEM_exchange"
 */
public record Exchange(
    Reservation in, Reservation out, @OrElse("0") long nrExchanged, @OrElse("0") long startExtent)
    implements Hypercall {
  /**
   * What is given, or what is wanted for it.
   *
   * @param extentStart frames given; for those wanted the guest frames that they are to be
   */
  public record Reservation(
      DomainId domid,
      GuestFrames extentStart,
      @OrElse("null") Optional<Long> nrExtents,
      @OrElse("0") long extentOrder,
      @OrElse("0") Word memFlags) {
    long wanted() {
      return nrExtents.orElseGet(extentStart::count);
    }

    long frames() {
      return wanted() << extentOrder;
    }

    boolean overflows() {
      return Long.compareUnsigned(-1L >>> extentOrder, wanted()) < 0;
    }
  }

  Exchange exchanged(long extents) {
    return new Exchange(in, out, extents, startExtent);
  }
}
