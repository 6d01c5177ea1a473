package io.hypercalld.iommu.driver;

import static java.util.stream.Collectors.toSet;

import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.memory.PageWord;
import io.hypercalld.core.p2m.DmaPermission;
import io.hypercalld.iommu.vtd.SecondStageEntry;
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
  private static final int WRITE_ONLY = (int) SecondStageEntry.W.mask();

  LeafFormat {
    sizes = Set.copyOf(sizes);
    if (!sizes.contains(PageSize.SIZE_4K)) {
      throw new IllegalArgumentException("a table needs 4 KiB leaves");
    }
  }

  /** The same with only those of the sizes that a policy allows, too. */
  LeafFormat within(Set<PageSize> allowed) {
    return new LeafFormat(sizes.stream().filter(allowed::contains).collect(toSet()), snoop);
  }

  /** Whether a table of {@code level} may hold leaves. */
  boolean allowsLeavesAt(int level) {
    return level <= PageSize.SIZE_1G.level() && sizes.contains(PageSize.ofLevel(level));
  }

  /** The entry that maps {@code maddr}, aligned to {@code size}. */
  long leaf(long maddr, PageSize size, DmaPermission permission) {
    return switch (permission) {
      case NONE -> ABSENT;
      case READ -> snooped(SecondStageEntry.leaf(maddr, size, READ_ONLY));
      case WRITE -> snooped(SecondStageEntry.leaf(maddr, size, WRITE_ONLY));
      case READ_WRITE -> snooped(SecondStageEntry.leaf(maddr, size, SecondStageEntry.READ_WRITE));
    };
  }

  /** The entry of 4 KiB that says what a {@link PageWord} does. */
  long leaf(long word) {
    return word == PageWord.ABSENT
        ? ABSENT
        : snooped(
            SecondStageEntry.leaf(
                new Mfn(PageWord.frame(word)).maddr(), PageSize.SIZE_4K, PageWord.rights(word)));
  }

  private long snooped(long leaf) {
    return snoop ? SecondStageEntry.SNP.set(leaf) : leaf;
  }
}
