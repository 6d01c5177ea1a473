package io.hypercalld.core.hypercall;

import java.util.List;

/**
 * What {@link TrackDirtyVram} returns. Immutable.
 *
 * @param dirtyBitmap a bit for each page, the lowest of the lowest byte first
 * @see "xen/include/public/hvm/dm_op.h"
 */
public record DirtyVram(List<Integer> dirtyBitmap) {}
