package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.p2m.Gfn;
import java.util.Optional;

/**
 * {@code track_dirty_vram}: say which pages of a display were written since the last time, as
 * {@link DirtyVram}; all of them where it is another display than then.
 *
 * <ul>
 *   <li>{@code ESRCH} no such domain, {@code EPERM} itself or not its device model, {@code EINVAL}
 *       a PV domain
 *   <li>{@code EINVAL} {@code pad} not 0; not two buffers; more than 262,144 pages; no vCPU; the
 *       bitmap is too small
 *   <li>{@code ESRCH} dying
 * </ul>
 *
 * @param nr 0 to watch none
 * @param nrBufs buffers of the call
 * @param bitmapSize bytes of the second buffer; where left out, enough
 * @see "Xen XEN_DMOP_track_dirty_vram"
 */
public record TrackDirtyVram(
    DomainId domid,
    long nr,
    @OrElse("0") long pad,
    @OrElse("0") Gfn firstPfn,
    @OrElse("2") long nrBufs,
    @OrElse("null") Optional<Long> bitmapSize)
    implements Hypercall {}
