package io.hypercalld.core.hypercall;

import java.util.ArrayList;
import java.util.List;

/**
 * What {@link ShadowOp} returns. Immutable.
 *
 * @param dirtyBitmap a bit for each guest frame from 0 on, the lowest of the lowest byte first
 * @param pages bits of it
 * @param mb MiB of the paging pool
 * @see "xen/include/public/domctl.h"
 */
public record ShadowReport(List<Integer> dirtyBitmap, long pages, long mb, Stats stats)
    implements Written {
  /** Since the bitmap was last cleaned: writes caught, and frames noted. */
  public record Stats(long faultCount, long dirtyCount) {}

  @Override
  public ShadowReport after(Written earlier) {
    List<Integer> all = new ArrayList<>(((ShadowReport) earlier).dirtyBitmap);
    all.addAll(dirtyBitmap);
    return new ShadowReport(all, pages, mb, stats);
  }
}
