package io.hypercalld.core.hypercall;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.DomainId;
import java.util.Optional;

/**
 * {@code claim_pages}: promise a domain that it can be populated up to {@code nr_extents} pages; 0
 * gives the promise up.
 *
 * <ul>
 *   <li>{@code EINVAL} a start_extent, a list, an order or flags; no such domain, or one that is
 *       dying or has a claim; not more than it has, or more than it may have
 *   <li>{@code EPERM} not privileged
 *   <li>{@code ENOMEM} not so much memory is free and unclaimed
 * </ul>
 *
 * @see "Xen XENMEM_claim_pages"
 */
public record ClaimPages(
    DomainId domid,
    @OrElse("null") Optional<GuestFrames> extentStart,
    long nrExtents,
    @OrElse("0") long extentOrder,
    @OrElse("0") Word memFlags,
    @OrElse("0") long startExtent)
    implements Hypercall {}
