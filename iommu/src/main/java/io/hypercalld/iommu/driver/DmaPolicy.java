package io.hypercalld.iommu.driver;

import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.PageSize;
import java.util.EnumSet;
import java.util.Set;

/**
 * How a domain's devices are to translate. Immutable.
 *
 * @param tables whether they go through the P2M or through a table of their own
 * @param leafSizes leaves that a table of their own may have, as far as every unit has them, too
 * @param tableFrames what a table of their own takes of machine memory
 */
public record DmaPolicy(Tables tables, Set<PageSize> leafSizes, TableFrameSize tableFrames) {
  /** Which table. */
  public enum Tables {
    /** The P2M if the host allows that and the domain did not opt out. */
    SHARED_WHERE_POSSIBLE,
    SHARED,
    SEPARATE
  }

  /**
   * Checks the leaf sizes.
   *
   * @throws Refusal EINVAL where 4 KiB is not among them
   */
  public DmaPolicy {
    leafSizes = Set.copyOf(leafSizes);
    if (!leafSizes.contains(PageSize.SIZE_4K)) {
      throw Refusal.of(Errno.EINVAL, "a DMA table cannot do without leaves of 4 KiB");
    }
  }

  /** What Xen does unless told otherwise. */
  public static DmaPolicy usual() {
    return new DmaPolicy(
        Tables.SHARED_WHERE_POSSIBLE, EnumSet.allOf(PageSize.class), TableFrameSize.FRAME_4K);
  }

  /** The same with other tables. */
  public DmaPolicy with(Tables other) {
    return new DmaPolicy(other, leafSizes, tableFrames);
  }
}
