package io.hypercalld.iommu.driver;

import io.hypercalld.core.memory.FrameRun;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.memory.WordProgression;
import io.hypercalld.core.p2m.DmaPermission;
import io.hypercalld.iommu.vtd.SecondStageEntry;
import java.util.Comparator;

/**
 * What is being mapped or unmapped, piece by piece: each piece leaves of one size, as large as
 * alignment and format allow, that share a table. Confined to the machine thread.
 *
 * <p>One is used again and again, so that mapping a page makes no objects.
 */
final class LeafRun implements DmaTree.Wanted {
  private final PageSize[] largestFirst;
  private final LeafFormat format;
  private long dfn;
  private long left;
  private long smallest;
  private int count;
  private PageSize size = PageSize.SIZE_4K;

  LeafRun(LeafFormat format) {
    this.format = format;
    this.largestFirst =
        format.sizes().stream().sorted(Comparator.reverseOrder()).toArray(PageSize[]::new);
  }

  /** Begins before the first piece of frames that are to be mapped. */
  void map(FrameRun dfns, Mfn mfn, DmaPermission permission) {
    begin(dfns, format.leaf(mfn.maddr(), PageSize.SIZE_4K, permission));
  }

  /** Begins before the first piece of frames that are to be unmapped. */
  void unmap(FrameRun dfns) {
    begin(dfns, LeafFormat.ABSENT);
  }

  private void begin(FrameRun dfns, long entry) {
    dfn = dfns.mfn();
    left = dfns.count();
    smallest = entry;
    count = 0;
  }

  /** Goes on to the next piece, if there is one. */
  boolean next() {
    long done = count * size.frames();
    dfn += done;
    left -= done;
    smallest += areHoles() ? 0 : done << PageSize.SHIFT_4K;
    if (left == 0) {
      return false;
    }
    size = left == 1 ? PageSize.SIZE_4K : largest();
    long slots = (long) SecondStageEntry.ENTRIES - index(size.level());
    count = (int) Math.min(slots, left >>> size.order());
    return true;
  }

  private PageSize largest() {
    long aligned = dfn << PageSize.SHIFT_4K | SecondStageEntry.target(smallest);
    for (PageSize candidate : largestFirst) {
      if ((aligned & (candidate.bytes() - 1)) == 0 && candidate.frames() <= left) {
        return candidate;
      }
    }
    return PageSize.SIZE_4K;
  }

  @Override
  public long dfn() {
    return dfn;
  }

  /** Leaves of the piece. */
  int count() {
    return count;
  }

  PageSize size() {
    return size;
  }

  @Override
  public boolean areHoles() {
    return smallest == LeafFormat.ABSENT;
  }

  /** Its entries. */
  WordProgression entries() {
    return new WordProgression(entry(0), areHoles() ? 0 : size.bytes());
  }

  /** One of its entries. */
  long entry(int index) {
    if (areHoles()) {
      return smallest;
    }
    long leaf = size == PageSize.SIZE_4K ? smallest : SecondStageEntry.PS.set(smallest);
    return leaf + ((long) index << size.shift());
  }

  /** Where, in a table of the level, the entry for its first frame is. */
  int index(int level) {
    return SecondStageEntry.index(dfn << PageSize.SHIFT_4K, level);
  }

  /** Whether a leaf above its level, markers apart, says the same already. */
  @Override
  public boolean agreesWith(long leaf, PageSize larger) {
    long inside = dfn << PageSize.SHIFT_4K & (larger.bytes() - 1);
    return !areHoles() && SecondStageEntry.PS.clear(leaf) + inside == smallest;
  }
}
