package io.hypercalld.core.p2m;

import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PageSize;

/**
 * A change of what devices may reach through a guest-physical address. Immutable.
 *
 * @param mfn the frame mapped now; meaningless where {@code permission} is NONE
 * @param permission what DMA may do now
 * @param replacesMapping whether anything was mapped in the region before
 */
public record P2mChange(
    Gfn gfn, PageSize size, Mfn mfn, DmaPermission permission, boolean replacesMapping) {}
