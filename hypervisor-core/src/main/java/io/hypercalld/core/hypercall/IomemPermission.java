package io.hypercalld.core.hypercall;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.memory.Mfn;

/**
 * {@code iomem_permission}: let a domain have machine frames of device registers, or not any more.
 * What is mapped stays mapped.
 *
 * <ul>
 *   <li>{@code ESRCH}, {@code EPERM} as for {@link DestroyDomain}
 *   <li>{@code EINVAL} no frames, or more than there are numbers
 *   <li>{@code EPERM} the caller does not have them itself
 * </ul>
 *
 * @param allowAccess 0 to revoke
 * @see "Xen XEN_DOMCTL_iomem_permission"
 */
public record IomemPermission(DomainId domain, Mfn firstMfn, Word nrMfns, int allowAccess)
    implements Hypercall {}
