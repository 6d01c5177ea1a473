package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.p2m.Gfn;
import java.util.List;

/**
 * {@code sharing_op}: has pages of domains share frames, which are copied when they are written.
 * The members of the C struct's union are written side by side. The first call for a domain allows
 * it to share, even where the call is refused later.
 *
 * <ul>
 *   <li>{@code ESRCH} no such domain, or client
 *   <li>{@code EPERM} the caller itself, or not privileged
 *   <li>{@code EINVAL} a domain that is dying; {@code start_extent} not 0; to nominate: no page
 *       that could be shared; to share and add: the client never asked for sharing; ranges: not
 *       both are paused, beyond the highest guest frame, or padding that is not 0
 *   <li>{@code EOPNOTSUPP} a PV domain, or one whose P2M has no pages of 4 KiB
 *   <li>{@code ENODEV} no hardware-assisted paging
 *   <li>{@code EXDEV} a domain with an IOMMU
 *   <li>{@code E2BIG} to nominate: others refer to the frame
 *   <li>{@code ECHILD}, for {@code XENMEM_SHARING_OP_S_HANDLE_INVALID}: the source is not what its
 *       handle says
 *   <li>{@code EBADF}, for {@code XENMEM_SHARING_OP_C_HANDLE_INVALID}: the client's page is not
 *       what its handle says; to add: something is mapped there
 *   <li>{@code ENOMEM} no page to split a larger leaf or for a table
 *   <li>{@code ENOENT} no such entry of the grant table
 *   <li>{@code ENXIO} an entry that grants no access
 *   <li>{@code ENOSYS} any other operation: forks are not simulated
 * </ul>
 *
 * <p>To debug answers how many guest frames share a frame, EINVAL where it is not shared.
 *
 * @param op 0 nominate_gfn, 1 nominate_gref, 2 share, 3 debug_gfn, 4 debug_mfn, 5 debug_gref, 6
 *     add_physmap, 7 audit, 8 range_share
 * @param domain the source
 * @param gfn to nominate, or to debug
 * @param sourceGfn to share or add; with bit 62 set, to share, the number of an entry of the grant
 *     table. EINVAL so to add
 * @param clientGfn likewise, to share
 * @param grantRef entry of the grant table whose page is to be nominated
 * @param mfn to debug
 * @param gref to debug
 * @param firstGfn of a range, in both domains
 * @param lastGfn of a range, inclusive
 * @param opaque of a range: the guest frame to go on with; 0 at first
 * @see "Xen XENMEM_sharing_op"
 */
public record SharingOp(
    long op,
    DomainId domain,
    @OrElse("\"0x0\"") Gfn gfn,
    @OrElse("\"0x0\"") Gfn sourceGfn,
    @OrElse("0") long sourceHandle,
    @OrElse("\"0x0\"") Gfn clientGfn,
    @OrElse("0") long clientHandle,
    @OrElse("0") DomainId clientDomain,
    @OrElse("\"0x0\"") Gfn firstGfn,
    @OrElse("\"0x0\"") Gfn lastGfn,
    @OrElse("\"0x0\"") Gfn opaque,
    @OrElse("[]") List<Long> pad,
    @OrElse("0") long startExtent,
    @OrElse("0") long grantRef,
    @OrElse("\"0x0\"") Mfn mfn,
    @OrElse("0") long gref)
    implements Hypercall {
  public SharingOp {
    pad = List.copyOf(pad);
  }

  SharingOp goingOnWith(Gfn next) {
    return new SharingOp(
        op,
        domain,
        gfn,
        sourceGfn,
        sourceHandle,
        clientGfn,
        clientHandle,
        clientDomain,
        firstGfn,
        lastGfn,
        next,
        pad,
        startExtent,
        grantRef,
        mfn,
        gref);
  }
}
