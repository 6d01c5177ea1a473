package io.hypercalld.core.hypercall;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.p2m.Gfn;

/**
 * {@code add_to_physmap}: map a page of a given kind at a guest frame.
 *
 * <p>What is mapped there is released; a page that moves leaves the guest frame where it was.
 *
 * <ul>
 *   <li>{@code EDOM} more pages done before than a size can say
 *   <li>{@code ENOSYS} space gmfn_foreign, which only the batch knows
 *   <li>{@code ESRCH} no such domain
 *   <li>{@code EACCES} the domain is PV; dev_mmio; the source is no plain RAM
 *   <li>{@code EPERM} not privileged; a device's page is in the way
 *   <li>{@code EINVAL} no guest frame, index or space of that number; a frame that is not the
 *       domain's
 *   <li>{@code EILSEQ} more pages done before than there are; a page is in the way that is not in
 *       memory
 *   <li>{@code EXDEV} the source frame belongs to another guest frame
 *   <li>{@code ENXIO} somebody else's page is in the way
 *   <li>{@code EOVERFLOW} the range wraps
 *   <li>{@code ENOMEM} no pages for tables, or to unshare a page
 * </ul>
 *
 * @param size pages; for space gmfn_range only
 * @param space shared_info 0, grant_table 1, gmfn 2, gmfn_range 3, gmfn_foreign 4, dev_mmio 5
 * @param idx which page of the space; a guest frame for gmfn
 * @see "Xen XENMEM_add_to_physmap"
 */
public record AddToPhysmap(
    DomainId domid,
    @OrElse("0") int size,
    long space,
    Word idx,
    Gfn gpfn,
    @OrElse("0") long startExtent)
    implements Hypercall {
  /** A request from its first page on. */
  public AddToPhysmap(DomainId domid, int size, long space, Word idx, Gfn gpfn) {
    this(domid, size, space, idx, gpfn, 0);
  }

  AddToPhysmap startingAt(long page) {
    return new AddToPhysmap(domid, size, space, idx, gpfn, page);
  }
}
