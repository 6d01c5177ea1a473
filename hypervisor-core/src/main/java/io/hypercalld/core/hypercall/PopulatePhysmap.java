package io.hypercalld.core.hypercall;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.DomainId;
import java.util.Optional;

/**
 * {@code populate_physmap}: allocate frames and map them at the given guest frames, as RAM.
 *
 * <p>Answers how many extents are done, never an errno: fewer than asked for means that the next
 * one failed, for want of memory, of pages for tables, of room in the domain's limit, or because an
 * argument was wrong or the caller not privileged. An extent that cannot be mapped leaves its
 * frames charged to the domain. Populating over RAM makes an orphan of the frame that was there.
 * With the flag populate_on_demand, which no domain may use on itself, nothing is allocated before
 * a page is needed; that is refused where devices reach the domain's memory or it may reach theirs.
 *
 * @see "Xen XENMEM_populate_physmap"
 */
public record PopulatePhysmap(
    DomainId domid,
    @OrElse("[]") GuestFrames extentStart,
    @OrElse("null") Optional<Long> nrExtents,
    @OrElse("0") long extentOrder,
    @OrElse("0") Word memFlags,
    @OrElse("0") long startExtent)
    implements ReservationRequest {
  /** A request from its first extent on. */
  public PopulatePhysmap(
      DomainId domid,
      GuestFrames extentStart,
      Optional<Long> nrExtents,
      long extentOrder,
      Word memFlags) {
    this(domid, extentStart, nrExtents, extentOrder, memFlags, 0);
  }

  @Override
  public PopulatePhysmap startingAt(long extent) {
    return new PopulatePhysmap(domid, extentStart, nrExtents, extentOrder, memFlags, extent);
  }
}
