package io.hypercalld.core.hypercall;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.DomainId;

/**
 * {@code set_paging_mempool_size}: grow or shrink a domain's paging pool. What a call that is
 * preempted did stays done, also where its rest is refused.
 *
 * <ul>
 *   <li>{@code ESRCH}, {@code EPERM} as for {@link DestroyDomain}
 *   <li>{@code EOPNOTSUPP} the domain is PV
 *   <li>{@code EINVAL} not a whole number of pages, or more than can be
 *   <li>{@code ENOMEM} more than that is in use, or the machine has not enough
 * </ul>
 *
 * @param size bytes
 * @see "Xen XEN_DOMCTL_set_paging_mempool_size"
 */
public record SetPagingMempoolSize(DomainId domain, Word size) implements Hypercall {}
