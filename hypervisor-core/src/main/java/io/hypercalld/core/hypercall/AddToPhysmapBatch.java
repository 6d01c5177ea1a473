package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.DomainId;
import java.util.Optional;

/**
 * {@code add_to_physmap_batch}: as {@link AddToPhysmap}, element by element.
 *
 * <p>Answers 0 with an errno for each element, and goes on after one that failed; only an element
 * whose guest frame is no number at all ends the call.
 *
 * <ul>
 *   <li>{@code EDOM} more elements done before than a size can say
 *   <li>{@code EOPNOTSUPP} space gmfn_range; a foreign domain with space dev_mmio
 *   <li>{@code ESRCH}, {@code EACCES}, {@code EPERM} as for {@link AddToPhysmap}
 *   <li>{@code EILSEQ} as many elements done before as there are, or more
 *   <li>{@code EFAULT} a list is shorter than the size
 *   <li>{@code EINVAL} a guest frame is no number
 * </ul>
 *
 * <p>Space gmfn_foreign maps pages of {@code foreign_domid}. Its elements fail with {@code EPERM}
 * where the mapper has altp2m or nested_virt, is neither a control domain nor that domain's device
 * model, or where that domain is the caller; {@code ESRCH} no such domain; {@code EINVAL} the
 * mapper itself, or no page of RAM there; {@code ENXIO} a page of somebody else's is in the way.
 *
 * @param size elements; where left out, as many as the list of guest frames has
 * @see "Xen XENMEM_add_to_physmap_batch"
 */
public record AddToPhysmapBatch(
    DomainId domid,
    int space,
    @OrElse("0") int foreignDomid,
    GuestFrames idxs,
    GuestFrames gpfns,
    @OrElse("null") Optional<Integer> size,
    @OrElse("0") long startExtent)
    implements Hypercall {
  /** A request from its first element on. */
  public AddToPhysmapBatch(
      DomainId domid,
      int space,
      int foreignDomid,
      GuestFrames idxs,
      GuestFrames gpfns,
      Optional<Integer> size) {
    this(domid, space, foreignDomid, idxs, gpfns, size, 0);
  }

  AddToPhysmapBatch startingAt(long element) {
    return new AddToPhysmapBatch(domid, space, foreignDomid, idxs, gpfns, size, element);
  }
}
