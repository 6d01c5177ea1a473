package io.hypercalld.core.hypercall;

import io.hypercalld.core.bits.HexBytes;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.p2m.Gfn;
import java.util.Optional;

/**
 * {@code paging_op}: a pager moves one page out or in.
 *
 * <ul>
 *   <li>{@code ESRCH} no such domain
 *   <li>{@code EPERM} the caller itself, or not privileged
 *   <li>{@code EINVAL} the domain is dying; a buffer that is not a page; to bring back a page
 *       without frame, and no buffer; {@code start_extent} not 0
 *   <li>{@code ENODEV} no pager listens
 *   <li>{@code ENOSYS} no such operation
 *   <li>{@code EBUSY} to nominate: not plain RAM, or others refer to the frame; to evict: not
 *       nominated, or others refer to the frame
 *   <li>{@code ENOENT} to bring back: not paged
 *   <li>{@code ENOMEM} to bring back: no frame; any: no page to split a larger leaf
 * </ul>
 *
 * @param op 0 nominate, 1 evict, 2 prep
 * @param buffer what the page is to hold, for prep
 * @see "Xen XENMEM_paging_op"
 */
public record PagingOp(
    long op,
    DomainId domain,
    Gfn gfn,
    @OrElse("null") Optional<HexBytes> buffer,
    @OrElse("0") long startExtent)
    implements Hypercall {}
