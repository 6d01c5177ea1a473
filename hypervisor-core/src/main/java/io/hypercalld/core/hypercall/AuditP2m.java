package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.DomainId;

/**
 * {@code audit_p2m}: count what is wrong with a domain's P2M, as {@link P2mAudit}.
 *
 * <ul>
 *   <li>{@code ESRCH}, {@code EPERM} as for {@link DestroyDomain}
 *   <li>{@code EINVAL} itself, or a PV domain
 * </ul>
 *
 * @see "Xen XEN_DOMCTL_audit_p2m"
 */
public record AuditP2m(DomainId domain) implements Hypercall {}
