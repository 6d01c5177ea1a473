package io.hypercalld.core.hypercall;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.p2m.Gfn;

/**
 * {@code memory_mapping}: map device registers into a domain, or take them out.
 *
 * <p>At most 64 leaves are handled at once. {@code ret} is then how many frames were; the caller
 * goes on behind them. A PV domain maps them itself: success without effect.
 *
 * <ul>
 *   <li>{@code ESRCH} no such domain; {@code EPERM} neither privileged nor its device model
 *   <li>{@code EINVAL} no frames, beyond the address width, or what is to be taken out is not there
 *   <li>{@code EPERM} the caller does not have the frames; the domain does not, for adding; another
 *       device's or domain's page is in the way, which crashes the domain
 *   <li>{@code ENOMEM} no pages for tables
 * </ul>
 *
 * @param addMapping 0 to take out
 * @param padding ignored
 * @see "Xen XEN_DOMCTL_memory_mapping"
 */
public record MemoryMapping(
    DomainId domain,
    Gfn firstGfn,
    Mfn firstMfn,
    Word nrMfns,
    int addMapping,
    @OrElse("0") long padding)
    implements Hypercall {}
