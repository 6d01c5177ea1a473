package io.hypercalld.core.hypercall;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.DomainId;

/**
 * {@code ioport_mapping}: show ports of the machine's to a domain at ports of its own, or not any
 * more.
 *
 * <ul>
 *   <li>{@code ESRCH} no such domain; {@code EPERM} neither privileged nor its device model
 *   <li>{@code EOPNOTSUPP} the domain is PV
 *   <li>{@code EINVAL} no ports, or beyond 0xffff
 *   <li>{@code EPERM} the caller does not have the ports; the domain does not, for adding
 *   <li>{@code EBUSY} some of them, or their neighbours, are shown elsewhere
 *   <li>{@code ENOENT} nothing to take away
 * </ul>
 *
 * @param addMapping 0 to take away, where the domain's port does not matter
 * @see "Xen XEN_DOMCTL_ioport_mapping"
 */
public record IoportMapping(
    DomainId domain, Word firstGport, Word firstMport, Word nrPorts, int addMapping)
    implements Hypercall {}
