package io.hypercalld.iommu.unit;

import io.hypercalld.core.memory.PhysicalMemory;
import io.hypercalld.iommu.vtd.DmaAccess;
import io.hypercalld.iommu.vtd.FirstLevelEntry;
import io.hypercalld.iommu.vtd.InterruptRange;
import io.hypercalld.iommu.vtd.SecondStageEntry;
import io.hypercalld.iommu.vtd.SecondStageFormat;

/**
 * Walks of tables as they usually are: four levels, pages of 4 KiB, and no entry that takes a
 * permission of the second stage away, is absent or wrong, or has still to be marked. Of all others
 * it says only that they are others. Confined to the machine thread.
 */
final class UsualWalk {
  /*
   * Levels are written out, for only so are shifts and masks constants, and each entry is judged by
   * one comparison and a branch that leaves: what is foreseen does not hold up the next read.
   */

  /** Where the walk is another one: no address, and no page of 4 KiB as a {@link Leaf} word. */
  static final long OTHER = -1;

  static final int LEVELS = 4;

  private static final int NESTED_READS = LEVELS * (LEVELS + 1) + LEVELS;
  private static final long NESTED =
      JudgedPasid.shape(JudgedPasid.nested(LEVELS, JudgedPasid.secondLevel(LEVELS, 0)));
  private static final long PRESENT_ACCESSED = FirstLevelEntry.P.mask() | FirstLevelEntry.A.mask();
  private static final long EXTENDED_ACCESSED = FirstLevelEntry.EA.mask();
  private static final long EXECUTE_DISABLE = FirstLevelEntry.XD.mask();
  private static final long PAGE_SIZE = FirstLevelEntry.PS.mask();
  private static final long DIRTY = FirstLevelEntry.D.mask();

  private final PhysicalMemory memory;
  private final SecondStageFormat format;
  private final UnitCounters counters;

  UsualWalk(WalkTools tools, UnitCounters counters) {
    this.memory = tools.memory();
    this.format = tools.secondStageFormat();
    this.counters = counters;
  }

  /** The table of level 1 in second-stage tables, if all above it lead on; or {@link #OTHER}. */
  long secondStageTable(long root, long iova) {
    long entry = memory.readIfRam(root + SecondStageEntry.offset(iova, 4));
    if (!format.leadsOn(entry)) {
      return OTHER;
    }
    entry = memory.readIfRam(SecondStageEntry.target(entry) + SecondStageEntry.offset(iova, 3));
    if (!format.leadsOn(entry)) {
      return OTHER;
    }
    entry = memory.readIfRam(SecondStageEntry.target(entry) + SecondStageEntry.offset(iova, 2));
    return format.leadsOn(entry) ? SecondStageEntry.target(entry) : OTHER;
  }

  /** The page in a second-stage table of level 1, if all is permitted; or {@link #OTHER}. */
  long secondStagePage(long table, long iova) {
    long leaf = memory.readIfRam(table + SecondStageEntry.offset(iova, 1));
    return format.isPlainLeaf(leaf) ? SecondStageEntry.target(leaf) : OTHER;
  }

  /** Whether an address space has tables like that, one level behind the other. */
  static boolean mayNest(long judged) {
    return JudgedPasid.shape(judged) == NESTED;
  }

  /**
   * The page that translates {@code iova} through first-level tables behind second-level ones, as
   * {@link FirstLevelWalk#walk} would find it; or {@link #OTHER}. Only where it {@link #mayNest}.
   */
  long nested(AddressSpace space, long iova, DmaAccess access) {
    // The second level limits a nested entry's address: nothing but XD may be reserved.
    long needed = marks(space.judged);
    long decisive = needed | (JudgedPasid.knowsExecuteDisable(space.judged) ? 0 : EXECUTE_DISABLE);
    long table = space.firstLevelRoot;
    long rights = FirstLevelEntry.ALL_RIGHTS;
    for (int level = LEVELS; level > 1; level--) {
      long entry = readBehind(space, table, SecondStageEntry.offset(iova, level));
      if ((entry & (decisive | PAGE_SIZE)) != needed) {
        return OTHER;
      }
      rights &= FirstLevelEntry.rights(entry);
      table = FirstLevelEntry.target(entry);
    }
    long leaf = readBehind(space, table, SecondStageEntry.offset(iova, 1));
    if ((leaf & decisive) != needed) {
      return OTHER;
    }
    // All but the frame is known before the last four reads, and so is judged in their shadow.
    long page = page(space, rights & FirstLevelEntry.rights(leaf), (leaf & DIRTY) != 0);
    if (!Privileges.permit(page, access, space.who, space.judged)
        || (Leaf.isClean(page) && access.dirties(Leaf.permissions(page)))) {
      return OTHER;
    }
    long maddr = maddrBehind(space, FirstLevelEntry.target(leaf));
    if (maddr == OTHER || InterruptRange.contains(maddr)) {
      return OTHER;
    }
    counters.entryReads += NESTED_READS;
    return Leaf.at(maddr, page);
  }

  private static long marks(long judged) {
    return JudgedPasid.marksExtendedAccessed(judged)
        ? PRESENT_ACCESSED | EXTENDED_ACCESSED
        : PRESENT_ACCESSED;
  }

  /** A page, wherever it is, of which the second level permits everything. */
  private static long page(AddressSpace space, long rights, boolean dirty) {
    long anywhere = Leaf.of(0, 1, SecondStageEntry.READ_WRITE);
    long page = Leaf.withRights(anywhere, rights, !JudgedPasid.protectsWrites(space.judged));
    return dirty ? page : Leaf.clean(page);
  }

  /** A word of a table at a second-level input address; that of an absent entry elsewhere. */
  private long readBehind(AddressSpace space, long table, long offset) {
    // Where the table lies does not wait for the offset.
    long maddr = maddrBehind(space, table);
    return maddr == OTHER ? 0 : memory.readIfRam(maddr + offset);
  }

  /** Machine address of a page at a second-level input address, or {@link #OTHER}. */
  private long maddrBehind(AddressSpace space, long input) {
    boolean reached = (input & -1L << JudgedPasid.limit(space.judged)) == 0;
    long table = reached ? secondStageTable(space.secondLevelRoot, input) : OTHER;
    return table == OTHER ? OTHER : secondStagePage(table, input);
  }
}
