package io.hypercalld.iommu.driver;

import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.DmaPermission;
import io.hypercalld.iommu.vtd.SecondStageEntry;
import java.util.EnumSet;
import java.util.Set;

/**
 * How the leaves of a domain's DMA table look: which sizes every unit understands, and whether
 * accesses are snooped. Immutable.
 *
 * @param sizes leaf sizes that may be used; always has 4 KiB
 * @param snoop whether leaves carry SNP, which units without snoop control treat as reserved
 */
record LeafFormat(Set<PageSize> sizes, boolean snoop) {
  /** The entry that maps nothing. */
  static final long ABSENT = 0;

  private static final int READ_ONLY = (int) SecondStageEntry.R.mask();

  LeafFormat {
    sizes = Set.copyOf(sizes);
    if (!sizes.contains(PageSize.SIZE_4K)) {
      throw new IllegalArgumentException("a table needs 4 KiB leaves");
    }
  }

  /** The largest usable leaf that is no larger than {@code limit}. */
  PageSize largest(PageSize limit) {
    PageSize best = PageSize.SIZE_4K;
    for (PageSize size : EnumSet.range(PageSize.SIZE_4K, limit)) {
      best = sizes.contains(size) ? size : best;
    }
    return best;
  }

  /** The entry that maps {@code maddr}, aligned to {@code size}. */
  long leaf(long maddr, PageSize size, DmaPermission permission) {
    return switch (permission) {
      case NONE -> ABSENT;
      case READ -> snooped(SecondStageEntry.leaf(maddr, size, READ_ONLY));
      case READ_WRITE -> snooped(SecondStageEntry.leaf(maddr, size, SecondStageEntry.READ_WRITE));
    };
  }

  private long snooped(long leaf) {
    return snoop ? SecondStageEntry.SNP.set(leaf) : leaf;
  }
}
