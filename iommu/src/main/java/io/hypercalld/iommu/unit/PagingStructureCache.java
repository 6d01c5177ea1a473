package io.hypercalld.iommu.unit;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.iommu.vtd.Habits;
import io.hypercalld.iommu.vtd.SecondStageEntry;

/**
 * Remembered entries that lead to a table of level 1, and the permissions and-ed down to there.
 * Confined to the machine thread.
 *
 * <p>What an {@link Iotlb} remembers of a 2 MiB page, this does of the table in its place: tags,
 * sets and epochs are the same.
 *
 * @see "VT-d §6.2.5"
 */
final class PagingStructureCache implements Digestible {
  static final long MISS = Iotlb.MISS;

  private static final int LEVEL = 2;

  private final Iotlb tables;
  private final boolean remembers;

  /**
   * An empty cache.
   *
   * @param entries how many tables it holds, a power of two and at least 4
   * @param spaces how many address spaces there are
   * @param remembers see {@link Habits#remembersTables}
   */
  PagingStructureCache(int entries, int spaces, boolean remembers) {
    this.tables = new Iotlb(entries, spaces, new RecentHits());
    this.remembers = remembers;
  }

  /** The table of level 1 on the way to {@code iova} as a {@link Leaf} word, or {@link #MISS}. */
  long find(int space, long iova) {
    return tables.findOfLevel2(space, iova);
  }

  /** The same as {@link #find}, but leaves no mark. */
  long peek(int space, long iova) {
    return tables.peek(space, iova);
  }

  /**
   * Remembers a table that {@link #find} just missed.
   *
   * @param permissions R and W of all levels above the table
   */
  void put(int space, long iova, long table, int permissions) {
    if (remembers) {
      tables.put(space, iova, Leaf.of(table, LEVEL, permissions));
    }
  }

  /** The same, for first-level tables. */
  void putWithRights(int space, long iova, long table, long rights) {
    if (remembers) {
      long leaf = Leaf.of(table, LEVEL, SecondStageEntry.READ_WRITE);
      tables.put(space, iova, Leaf.withRights(leaf, rights, false));
    }
  }

  void invalidateAll() {
    tables.invalidateAll();
  }

  void invalidateSpace(int space) {
    tables.invalidateSpace(space);
  }

  /** Drops every table of the space that is on the way to one of the 2^mask pages. */
  void invalidatePages(int space, long iova, int addressMask) {
    tables.invalidatePages(space, iova, addressMask);
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("paging-structure-cache").put(tables);
  }
}
