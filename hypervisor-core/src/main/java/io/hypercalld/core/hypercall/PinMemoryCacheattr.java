package io.hypercalld.core.hypercall;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.p2m.Gfn;

/**
 * {@code pin_memory_cacheattr}: decide for the guest how it caches some of its frames.
 *
 * <ul>
 *   <li>{@code ESRCH} no such domain, {@code EPERM} itself or not its device model, {@code EINVAL}
 *       a PV domain
 *   <li>{@code EINVAL} {@code pad} not 0; frames that end before they begin, or that no P2M
 *       reaches; no such type
 *   <li>{@code ENOENT} nothing pinned from and to there that could be let go
 *   <li>{@code EPERM} uncached or write-combined, with neither an IOMMU nor devices' memory or
 *       ports
 *   <li>{@code EBUSY} some of them are pinned by another range; {@code ENOSPC} 64 ranges are
 * </ul>
 *
 * @param end the last frame, inclusive
 * @param type UC 0, WC 1, WT 4, WP 5, WB 6, UC- 7; all 32 bits to let go
 * @see "Xen XEN_DMOP_pin_memory_cacheattr"
 */
public record PinMemoryCacheattr(
    DomainId domid, Gfn start, Gfn end, Word type, @OrElse("0") long pad) implements Hypercall {}
