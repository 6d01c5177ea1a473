package io.hypercalld.core.hypercall;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.DomainId;
import java.util.Optional;

/**
 * {@code acquire_resource}: map pages that the hypervisor made for another domain, or ask how many
 * there can be.
 *
 * <p>A translated caller names the guest frames where they are to be, and gets them as foreign
 * pages; a PV caller is told the frames. What is mapped before a page fails stays mapped.
 *
 * <ul>
 *   <li>{@code EACCES} the caller has altp2m or nested_virt
 *   <li>{@code EINVAL} the pad; a range of frames beyond 2^32; no resource of the type and id; no
 *       list and yet frames, or the reverse; no frame of that number
 *   <li>{@code ESRCH} no such domain
 *   <li>{@code EPERM} the caller itself, or not privileged, or another emulator's; a page is in the
 *       way that may not be replaced, which crashes the caller
 *   <li>{@code ENOENT} no such ioreq server
 *   <li>{@code EFAULT} the list is shorter than the number of frames
 *   <li>{@code ENOMEM} no pages
 *   <li>{@code EIO} another frame than the first, or the first after 32, cannot be mapped
 * </ul>
 *
 * @param type a {@link ResourceType}'s number
 * @param frameList guest frames of a translated caller's; left out to ask for the size
 * @see "Xen XENMEM_acquire_resource"
 */
public record AcquireResource(
    DomainId domid,
    long type,
    long id,
    @OrElse("0") long nrFrames,
    @OrElse("0") long pad,
    @OrElse("0") Word frame,
    @OrElse("null") Optional<GuestFrames> frameList,
    @OrElse("0") long startExtent)
    implements Hypercall {
  AcquireResource startingAt(long extent) {
    return new AcquireResource(domid, type, id, nrFrames, pad, frame, frameList, extent);
  }

  /**
   * What it returns.
   *
   * @param frameList frames of the machine, for a PV caller
   */
  public record Acquired(long nrFrames, Optional<ExtentList> frameList) implements Written {
    @Override
    public Acquired after(Written earlier) {
      Optional<ExtentList> before = ((Acquired) earlier).frameList;
      return new Acquired(nrFrames, frameList.map(list -> before.map(list::after).orElse(list)));
    }
  }
}
