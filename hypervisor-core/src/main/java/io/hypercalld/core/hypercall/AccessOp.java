package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.p2m.Gfn;
import java.util.List;

/**
 * {@code access_op}: a monitor restricts what a domain may do with its pages, or asks.
 *
 * <p>Where nothing is mapped a restriction is accepted and lost. With {@code pfn} all ones it is
 * that of every page mapped from then on.
 *
 * <ul>
 *   <li>{@code ESRCH} no such domain; to get: nothing is mapped there
 *   <li>{@code EPERM} the caller itself, or not privileged
 *   <li>{@code EINVAL} the domain is dying or has no hardware-assisted paging; a range that wraps,
 *       is empty or goes beyond the highest guest frame; no such access, of several after those
 *       before it took effect
 *   <li>{@code ENODEV} no monitor listens
 *   <li>{@code EFAULT} a list shorter than {@code nr}, after what it has took effect
 *   <li>{@code ENOMEM} no page to split a larger leaf, after the pages before it
 *   <li>{@code ENOSYS} no such operation; to get, with {@code start_extent} not 0
 * </ul>
 *
 * @param op 0 set, 1 get, 4 set several
 * @param access 0 n, 1 r, 2 w, 3 rw, 4 x, 5 rx, 6 wx, 7 rwx, 8 rx2rw, 9 n2rwx, 10 r_pw, 11 the
 *     default
 * @param nr pages, or elements of the lists
 * @param startExtent pages done before
 * @see "Xen XENMEM_access_op"
 */
public record AccessOp(
    long op,
    @OrElse("0") long access,
    DomainId domid,
    @OrElse("0") long nr,
    @OrElse("\"0x0\"") Gfn pfn,
    @OrElse("[]") GuestFrames pfnList,
    @OrElse("[]") List<Long> accessList,
    @OrElse("0") long startExtent)
    implements Hypercall {
  public AccessOp {
    accessList = List.copyOf(accessList);
  }

  AccessOp startingAt(long done) {
    return new AccessOp(op, access, domid, nr, pfn, pfnList, accessList, done);
  }
}
