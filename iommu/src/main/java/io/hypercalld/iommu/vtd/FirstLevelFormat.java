package io.hypercalld.iommu.vtd;

import io.hypercalld.core.memory.PageSize;

/**
 * Which bits of a present first-level entry must be zero on one unit, by level. Immutable.
 *
 * <p>A nested entry holds no machine address: the second level, not the host's width, limits it.
 *
 * @see "VT-d §9.7"
 */
public final class FirstLevelFormat {
  private static final int LEVELS = 5;

  /** Two masks per level: for PS clear, then for PS set. */
  private final long[] masks = new long[2 * (LEVELS + 1)];

  public FirstLevelFormat(Capabilities capabilities, int hostAddressWidth) {
    long beyondHost = FirstLevelEntry.ADDR.mask() & -1L << hostAddressWidth;
    for (int level = 1; level <= LEVELS; level++) {
      masks[2 * level] = beyondHost;
      masks[2 * level + 1] = beyondHost | withPageSize(level, capabilities);
    }
  }

  /** The format of a nested first level. */
  public static FirstLevelFormat nested(Capabilities capabilities) {
    return new FirstLevelFormat(
        capabilities, FirstLevelEntry.ADDR.lsb() + FirstLevelEntry.ADDR.width());
  }

  private static long withPageSize(int level, Capabilities capabilities) {
    if (level == 1) {
      return 0;
    }
    boolean legal =
        level == PageSize.SIZE_2M.level()
            || (level == PageSize.SIZE_1G.level() && capabilities.firstLevelGigabytePages());
    return legal ? FirstLevelEntry.bitsInside(PageSize.ofLevel(level)) : FirstLevelEntry.PS.mask();
  }

  /**
   * The reserved bits that are set in {@code entry}, read as an entry of a table of that level.
   *
   * @param executeDisable NXE: bit XD has a meaning rather than being reserved
   */
  public long reservedBits(long entry, int level, boolean executeDisable) {
    long mask = masks[2 * level + (FirstLevelEntry.PS.isSet(entry) ? 1 : 0)];
    return entry & (executeDisable ? mask : FirstLevelEntry.XD.set(mask));
  }
}
