package io.hypercalld.ioreq.hypercall;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.hypercall.Hypercall;
import io.hypercalld.core.hypercall.OrElse;

/**
 * {@code map_mem_type_to_ioreq_server}: give a server the pages of a type, or take them from it.
 *
 * <p>Taken from a server they become plain RAM, in steps of 256 guest frames.
 *
 * <ul>
 *   <li>{@code ESRCH} no such domain, {@code EPERM} itself or not its device model, {@code EINVAL}
 *       a PV domain
 *   <li>{@code EOPNOTSUPP} no hardware-assisted paging
 *   <li>{@code EINVAL} no type for servers; flags other than 0 and 2; {@code ENOENT} no such
 *       server; {@code EPERM} another emulator's
 *   <li>{@code EBUSY} to give: a server has it, or pages of the type are left
 *   <li>{@code EINVAL} to take: the server does not have it
 *   <li>{@code ENOMEM} no page to split a larger leaf; the server has the type no more
 * </ul>
 *
 * @param type ioreq_server 4
 * @param flags write 2; 0 to take it away. Where the domain's claims are of all accesses, 3 too
 * @param opaque 0; otherwise where to go on, and nothing is given or taken
 * @see "Xen XEN_DMOP_map_mem_type_to_ioreq_server"
 */
public record MapMemType(
    DomainId domid, long id, long type, long flags, @OrElse("\"0x0\"") Word opaque)
    implements Hypercall {}
