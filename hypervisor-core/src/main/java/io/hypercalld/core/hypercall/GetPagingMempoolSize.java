package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.DomainId;

/**
 * {@code get_paging_mempool_size}: bytes of a domain's paging pool, as {@link PagingMempool}.
 *
 * <ul>
 *   <li>{@code ESRCH}, {@code EPERM} as for {@link DestroyDomain}
 *   <li>{@code EOPNOTSUPP} the domain is PV
 * </ul>
 *
 * @see "Xen XEN_DOMCTL_get_paging_mempool_size"
 */
public record GetPagingMempoolSize(DomainId domain) implements Hypercall {}
