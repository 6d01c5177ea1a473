package io.hypercalld.core.hypercall;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.DomainId;

/**
 * {@code set_param}: sets one of the numbers that a toolstack, the hypervisor and a guest leave for
 * each other. Those that name event rings are 27 (paging), 28 (monitor) and 29 (sharing).
 *
 * <ul>
 *   <li>{@code EINVAL} no such parameter, or none of that value; a PV domain
 *   <li>{@code ESRCH} no such domain
 *   <li>{@code EPERM} not privileged, or a guest may not set it
 *   <li>{@code EEXIST} it may be set once and has another value
 * </ul>
 *
 * @see "Xen HVMOP_set_param"
 */
public record SetHvmParam(DomainId domid, long index, Word value) implements Hypercall {}
