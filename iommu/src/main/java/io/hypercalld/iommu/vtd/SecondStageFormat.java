package io.hypercalld.iommu.vtd;

import io.hypercalld.core.memory.PageSize;

/**
 * Which bits of a present second-stage entry must be zero on one unit, by level. Immutable.
 *
 * <p>Derived from the layout, the unit's capabilities and the host's address width; looked up once
 * per level of a walk.
 *
 * @see "VT-d §9.8"
 */
public final class SecondStageFormat {
  private static final int LEVELS = 6;

  /** Two masks per level: for PS clear, then for PS set. */
  private final long[] masks = new long[2 * (LEVELS + 1)];

  /** The bits that tell an entry that leads to a table and permits everything from all others. */
  private final long decidingOfTables;

  /** The same of an entry of level 1 that maps a page. */
  private final long decidingOfLeaves;

  public SecondStageFormat(Capabilities capabilities, int hostAddressWidth) {
    long beyondHost = SecondStageEntry.ADDR.mask() & -1L << hostAddressWidth;
    long leaf =
        beyondHost
            | (capabilities.deviceTlbs() ? 0 : SecondStageEntry.TM.mask())
            | (capabilities.snoopControl() ? 0 : SecondStageEntry.SNP.mask());
    long table = beyondHost | SecondStageEntry.TM.mask() | SecondStageEntry.SNP.mask();
    decidingOfTables = SecondStageEntry.PS.set(table) | SecondStageEntry.READ_WRITE;
    decidingOfLeaves = leaf | SecondStageEntry.READ_WRITE;
    put(1, leaf, leaf);
    for (int level = 2; level <= LEVELS; level++) {
      put(level, table, leafMask(level, leaf, table, capabilities));
    }
  }

  private static long leafMask(int level, long leaf, long table, Capabilities capabilities) {
    if (level > PageSize.SIZE_1G.level()) {
      return SecondStageEntry.PS.set(table);
    }
    PageSize size = PageSize.ofLevel(level);
    long mask = leaf | SecondStageEntry.bitsInside(size);
    return capabilities.supports(size) ? mask : SecondStageEntry.PS.set(mask);
  }

  private void put(int level, long withoutPageSize, long withPageSize) {
    masks[2 * level] = withoutPageSize;
    masks[2 * level + 1] = withPageSize;
  }

  /** Whether an entry of a level above 1 leads to a table and takes no permission away. */
  public boolean leadsOn(long entry) {
    return (entry & decidingOfTables) == SecondStageEntry.READ_WRITE;
  }

  /** Whether an entry of level 1 maps a page and takes no permission away. */
  public boolean isPlainLeaf(long entry) {
    return (entry & decidingOfLeaves) == SecondStageEntry.READ_WRITE;
  }

  /** The reserved bits that are set in {@code entry}, read as an entry of a table of that level. */
  public long reservedBits(long entry, int level) {
    return entry & masks[2 * level + (SecondStageEntry.hasPageSize(entry) ? 1 : 0)];
  }
}
