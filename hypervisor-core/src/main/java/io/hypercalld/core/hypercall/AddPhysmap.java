package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.p2m.Gfn;

/**
 * {@code add_physmap}: map a machine frame of another domain's at a guest frame of the caller's.
 *
 * <ul>
 *   <li>{@code EPERM} the caller is no control domain; or over a device's or another foreign page,
 *       which crashes the caller
 *   <li>{@code EINVAL} a flag of the hypervisor's own; the caller itself; a frame that is not the
 *       other domain's
 *   <li>{@code ESRCH} no such domain; {@code ENOMEM} no page for tables
 * </ul>
 *
 * @param flags 1 read-only
 * @param domid whose frame it is
 * @see "spec/documents.md S3-D4, IA64_DOM0VP_add_physmap"
 */
public record AddPhysmap(Gfn gpfn, Mfn mfn, @OrElse("0") long flags, DomainId domid)
    implements Hypercall {}
