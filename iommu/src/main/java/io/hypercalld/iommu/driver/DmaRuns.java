package io.hypercalld.iommu.driver;

import io.hypercalld.core.memory.FrameRun;
import io.hypercalld.core.memory.MachineMemory;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.DmaPermission;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.iommu.vtd.SecondStageEntry;
import java.util.Optional;

/** What tables map, in order; counts no reads, as nothing translates by it. Immutable. */
record DmaRuns(MachineMemory memory) {
  private static final int TABLE_ORDER = 9;

  /** The first leaves within some frames below a table, as many as follow each other in one. */
  Optional<DmaRun> next(long table, int level, FrameRun within) {
    int order = SecondStageEntry.shift(level) - PageSize.SHIFT_4K;
    long from = within.mfn();
    long end = from + within.count();
    long base = from & (-1L << (order + TABLE_ORDER));
    for (int i = SecondStageEntry.index(from << PageSize.SHIFT_4K, level);
        i < SecondStageEntry.ENTRIES;
        i++) {
      long dfn = base + ((long) i << order);
      if (dfn >= end) {
        break;
      }
      long entry = entry(table, i);
      if (SecondStageEntry.isPresent(entry)) {
        long first = Math.max(from, dfn);
        Optional<DmaRun> found =
            SecondStageEntry.isLeaf(entry, level)
                ? Optional.of(from(new Leaves(table, i, level), dfn, end))
                : next(SecondStageEntry.target(entry), level - 1, new FrameRun(first, end - first));
        if (found.isPresent()) {
          return found;
        }
      }
    }
    return Optional.empty();
  }

  /** Leaves of a table, from one on. */
  private record Leaves(long table, int first, int level) {}

  private DmaRun from(Leaves leaves, long dfn, long end) {
    PageSize size = PageSize.ofLevel(leaves.level);
    long entry = entry(leaves.table, leaves.first);
    int most =
        (int)
            Math.min(
                SecondStageEntry.ENTRIES - leaves.first, Math.ceilDiv(end - dfn, size.frames()));
    int count = 1;
    while (count < most
        && entry(leaves.table, leaves.first + count) == entry + count * size.bytes()) {
      count++;
    }
    return new DmaRun(
        new Gfn(dfn),
        Mfn.containing(SecondStageEntry.target(entry)),
        count * size.frames(),
        DmaPermission.ofRights(SecondStageEntry.permissions(entry)));
  }

  private long entry(long table, int index) {
    return ContiguityMarkers.without(
        memory.readWord(table + (long) index * SecondStageEntry.BYTES));
  }
}
