package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.DomainId;
import java.util.Optional;

/**
 * {@code shadow_op}: watch which pages a domain writes, as {@link ShadowReport}.
 *
 * <ul>
 *   <li>{@code ESRCH}, {@code EPERM} as for {@link DestroyDomain}
 *   <li>{@code EINVAL} itself, dying or without vCPUs; unknown operation or mode; devices are
 *       assigned or it is on already, for enabling
 *   <li>{@code EBUSY} pages belong to an ioreq server, for enabling; another such operation is
 *       under way
 *   <li>{@code EOPNOTSUPP} the domain is PV
 *   <li>{@code ENOMEM} a page was written and could not be noted; no memory for that large a pool
 * </ul>
 *
 * @param op off 0, enable_logdirty 2, clean 11, peek 12, get_allocation 30, set_allocation 31,
 *     enable 32
 * @param mode log_dirty 0x4 with enable; final 0x1 with clean and peek
 * @param mb MiB of the paging pool, for set_allocation
 * @param pages bits wanted; where left out, as many as the domain has guest frames
 * @see "Xen XEN_DOMCTL_shadow_op"
 */
public record ShadowOp(
    DomainId domain,
    long op,
    @OrElse("0") long mode,
    @OrElse("0") long mb,
    @OrElse("null") Optional<Long> pages)
    implements Hypercall {}
