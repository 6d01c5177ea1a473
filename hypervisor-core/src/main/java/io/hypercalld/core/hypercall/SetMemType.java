package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.p2m.Gfn;

/**
 * {@code set_mem_type}: say what kind of memory some guest frames are.
 *
 * <p>Pages are changed one after the other; those before the one that is refused stay changed.
 *
 * <ul>
 *   <li>{@code ESRCH} no such domain, {@code EPERM} itself or not its device model, {@code EINVAL}
 *       a PV domain
 *   <li>{@code EINVAL} {@code pad} not 0; no pages, or beyond the highest guest frame; no such
 *       kind; a page that cannot become it; no ioreq server to have it
 *   <li>{@code EOPNOTSUPP} ioreq_server without hardware-assisted paging
 *   <li>{@code EAGAIN} a page is paged out or cannot be unshared
 *   <li>{@code ENOMEM} no page to split a larger leaf
 * </ul>
 *
 * @param memType ram_rw 0, ram_ro 1, mmio_dm 2, ioreq_server 4, and 5 to 7 where the domain has
 *     more types than one
 * @see "Xen XEN_DMOP_set_mem_type"
 */
public record SetMemType(DomainId domid, long nr, long memType, @OrElse("0") long pad, Gfn firstPfn)
    implements Hypercall {}
