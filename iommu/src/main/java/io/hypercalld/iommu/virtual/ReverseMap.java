package io.hypercalld.iommu.virtual;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Which runs lead to a guest frame, by blocks of 512 frames. Confined to the machine thread.
 *
 * <p>Its size follows from the number of blocks that runs touch, not from the number of frames.
 */
final class ReverseMap {
  private static final int BLOCK_SHIFT = 9;

  /** The first frames of the runs, as devices count them, by block. */
  private final TreeMap<Long, TreeSet<Long>> runs = new TreeMap<>();

  void add(GuestRun run) {
    for (long block = first(run); block <= last(run); block++) {
      runs.computeIfAbsent(block, _ -> new TreeSet<>()).add(run.dfn());
    }
  }

  void remove(GuestRun run) {
    for (long block = first(run); block <= last(run); block++) {
      TreeSet<Long> there = Objects.requireNonNull(runs.get(block));
      there.remove(run.dfn());
      if (there.isEmpty()) {
        runs.remove(block);
      }
    }
  }

  private static long first(GuestRun run) {
    return run.gfn() >>> BLOCK_SHIFT;
  }

  private static long last(GuestRun run) {
    return (run.gfn() + run.frames() - 1) >>> BLOCK_SHIFT;
  }

  /** The first frames of the runs that may lead to guest frames of a range. */
  Collection<Long> near(long gfn, long frames) {
    List<Long> found = new ArrayList<>();
    runs.subMap(gfn >>> BLOCK_SHIFT, true, (gfn + frames - 1) >>> BLOCK_SHIFT, true)
        .values()
        .forEach(found::addAll);
    return new TreeSet<>(found);
  }
}
