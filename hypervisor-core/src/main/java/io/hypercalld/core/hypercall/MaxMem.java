package io.hypercalld.core.hypercall;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.DomainId;

/**
 * {@code max_mem}: limit a domain's memory; what it has beyond stays.
 *
 * <ul>
 *   <li>{@code ESRCH}, {@code EPERM} as for {@link DestroyDomain}
 * </ul>
 *
 * @param maxMemkb KiB
 * @see "Xen XEN_DOMCTL_max_mem"
 */
public record MaxMem(DomainId domain, Word maxMemkb) implements Hypercall {}
