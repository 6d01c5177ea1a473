package io.hypercalld.ioreq.hypercall;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.hypercall.Hypercall;
import io.hypercalld.core.hypercall.OrElse;

/**
 * {@code inject_event}: have a vCPU take an event before its next instruction.
 *
 * <ul>
 *   <li>{@code ESRCH} no such domain, {@code EPERM} itself or not its device model, {@code EINVAL}
 *       a PV domain
 *   <li>{@code EINVAL} a pad not 0, or no such vCPU; {@code EBUSY} one is waiting already
 * </ul>
 *
 * @param type external interrupt 0, NMI 2, exception 3, software interrupt 4, privileged software
 *     exception 5, software exception 6
 * @param errorCode 0xffffffff for none
 * @see "Xen XEN_DMOP_inject_event"
 */
public record InjectEvent(
    DomainId domid,
    long vcpuid,
    long vector,
    @OrElse("0") long type,
    @OrElse("0") long insnLen,
    @OrElse("0") long pad0,
    @OrElse("\"0xffffffff\"") Word errorCode,
    @OrElse("0") long pad1,
    @OrElse("\"0x0\"") Word cr2)
    implements Hypercall {}
