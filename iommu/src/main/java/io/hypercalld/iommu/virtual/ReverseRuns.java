package io.hypercalld.iommu.virtual;

import java.util.List;
import java.util.NavigableSet;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Which blocks of 512 pages, each leading to as many consecutive guest frames, lead to a block of
 * 512 guest frames. Confined to the machine thread.
 */
final class ReverseRuns {
  private static final int SHIFT = 9;

  /** Blocks of pages by block of guest frames. */
  private final TreeMap<Long, TreeSet<Long>> blocks = new TreeMap<>();

  /** A block of pages leads to guest frames from one on. */
  void add(long block, long gfn) {
    for (long target = gfn >>> SHIFT; target <= last(gfn); target++) {
      blocks.computeIfAbsent(target, _ -> new TreeSet<>()).add(block);
    }
  }

  /** It does not any more. */
  void remove(long block, long gfn) {
    for (long target = gfn >>> SHIFT; target <= last(gfn); target++) {
      TreeSet<Long> there = blocks.get(target);
      if (there != null && there.remove(block) && there.isEmpty()) {
        blocks.remove(target);
      }
    }
  }

  private static long last(long gfn) {
    return (gfn + CapturedTable.PAGES - 1) >>> SHIFT;
  }

  /** The blocks of pages that may lead to guest frames of a range. */
  NavigableSet<Long> near(long gfn, long frames) {
    List<TreeSet<Long>> there =
        List.copyOf(
            blocks.subMap(gfn >>> SHIFT, true, (gfn + frames - 1) >>> SHIFT, true).values());
    NavigableSet<Long> found = new TreeSet<>();
    there.forEach(found::addAll);
    return found;
  }
}
