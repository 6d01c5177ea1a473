package io.hypercalld.core.p2m;

import io.hypercalld.core.memory.Mfn;

/**
 * A change of what devices may reach through a run of guest frames. Immutable.
 *
 * @param mfn the frame now mapped at {@code gfn}, those after it following; meaningless where
 *     {@code permission} is NONE
 * @param frames length of the run in frames of 4 KiB; neither it nor its start need be aligned to
 *     more than the P2M's granule
 * @param permission what DMA may do now, everywhere in the run
 * @param replacesMapping whether anything was mapped in the run before
 */
public record P2mChange(
    Gfn gfn, Mfn mfn, long frames, DmaPermission permission, boolean replacesMapping) {}
