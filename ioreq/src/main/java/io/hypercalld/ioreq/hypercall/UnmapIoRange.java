package io.hypercalld.ioreq.hypercall;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.hypercall.Hypercall;
import io.hypercalld.core.hypercall.OrElse;

/**
 * {@code unmap_io_range_from_ioreq_server}: have a server not answer any more for ports, memory or
 * PCI functions.
 *
 * <ul>
 *   <li>{@code ESRCH} no such domain, {@code EPERM} itself or not its device model, {@code EINVAL}
 *       a PV domain
 *   <li>{@code EINVAL} {@code pad} not 0, or the range ends before it begins; {@code ENOENT} no
 *       such server; {@code EPERM} another emulator's; {@code EINVAL} no such type
 *   <li>{@code ENOENT} not all of it is within one range; {@code ENOMEM} what is left would be 257
 * </ul>
 *
 * @param type ports 0, guest-physical addresses 1, PCI functions 2
 * @param start the first
 * @param end the last, inclusive
 * @see "Xen XEN_DMOP_unmap_io_range_from_ioreq_server"
 */
public record UnmapIoRange(
    DomainId domid, long id, @OrElse("0") long pad, long type, Word start, Word end)
    implements Hypercall {}
