package io.hypercalld.iommu.driver;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.memory.FrameRun;
import io.hypercalld.core.memory.PageSize;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What an operation changed in a domain's DMA tables and hardware may still remember, and the
 * frames that must outlive that memory. Confined to the machine thread.
 *
 * @see "xen/include/xen/iommu.h, IOMMU_FLUSHF_*"
 */
final class FlushSet implements Digestible {
  private long first = Long.MAX_VALUE;
  private long end;
  private boolean added;
  private boolean modified;
  private boolean all;
  private final List<FrameRun> freed = new ArrayList<>();

  /** A mapping appeared where there was none. */
  void added(long dfn, long frames) {
    added = true;
    cover(dfn, frames);
  }

  /** A mapping changed or went away. */
  void modified(long dfn, long frames) {
    modified = true;
    cover(dfn, frames);
  }

  /** A table went away: anything tagged with the domain may be stale. */
  void everything() {
    all = true;
  }

  /** A table whose frames may be reused once the flush is done. */
  void freeAfterwards(FrameRun table) {
    freed.add(table);
  }

  /**
   * The same, page by page: the smallest there is, or as large as the range has them. Frames are
   * freed with the last.
   *
   * @param granule frames of 4 KiB in the smallest page
   */
  List<FlushSet> pages(long granule) {
    if (all || !modified) {
      return List.of(this);
    }
    List<FlushSet> pages = new ArrayList<>();
    for (long at = first; at < end; ) {
      FlushSet page = new FlushSet();
      long frames = framesAt(at, end - at, granule);
      page.modified(at, frames);
      pages.add(page);
      at += frames;
    }
    pages.getLast().freed.addAll(freed);
    return pages;
  }

  private static long framesAt(long dfn, long left, long granule) {
    return Arrays.stream(PageSize.values())
        .mapToLong(size -> Math.max(size.frames(), granule))
        .filter(frames -> frames <= left && dfn % frames == 0)
        .max()
        .orElse(1);
  }

  /** Everything that another operation changed, too. */
  void add(FlushSet other) {
    first = Math.min(first, other.first);
    end = Math.max(end, other.end);
    added |= other.added;
    modified |= other.modified;
    all |= other.all;
    freed.addAll(other.freed);
  }

  private void cover(long dfn, long frames) {
    first = Math.min(first, dfn);
    end = Math.max(end, dfn + frames);
  }

  /**
   * Whether nothing that was ever present changed: a unit that caches no absence need not be told.
   */
  boolean isOnlyAdded() {
    return added && !modified && !all;
  }

  boolean isEmpty() {
    return !added && !modified && !all;
  }

  /**
   * log2 of the number of 4 KiB pages that one page-selective command can name, or -1 where only a
   * domain-selective one covers the changes.
   */
  int addressMask() {
    long frames = end - first;
    boolean nameable = !all && Long.bitCount(frames) == 1 && (first & (frames - 1)) == 0;
    return nameable ? Long.numberOfTrailingZeros(frames) : -1;
  }

  /** First address of the changed range. */
  long firstAddress() {
    return first << PageSize.SHIFT_4K;
  }

  /** Frames to free once every unit has been told. */
  List<FrameRun> freed() {
    return freed;
  }

  @Override
  public void digest(StateDigest digest) {
    digest.put(first).put(end).put(added).put(modified).put(all).put(freed.toString());
  }
}
