package io.hypercalld.iommu.unit;

import io.hypercalld.core.memory.PageSize;
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

  /** Where the walk is another one; no entry and no page is this. */
  static final long OTHER = 0;

  static final int LEVELS = 4;

  private static final int NESTED_READS = LEVELS * (LEVELS + 1) + LEVELS;
  private static final long IN_PAGE = PageSize.BYTES_4K - 1L;
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

  /** The entry of level 2 in second-stage tables, if those above it lead on; or {@link #OTHER}. */
  long secondStageTable(long root, long iova) {
    long entry = read(root + SecondStageEntry.offset(iova, 4));
    if (!format.leadsOn(entry)) {
      return OTHER;
    }
    entry = read(SecondStageEntry.target(entry) + SecondStageEntry.offset(iova, 3));
    if (!format.leadsOn(entry)) {
      return OTHER;
    }
    entry = read(SecondStageEntry.target(entry) + SecondStageEntry.offset(iova, 2));
    return format.leadsOn(entry) ? entry : OTHER;
  }

  /** The leaf in second-stage tables, readable and writable; or {@link #OTHER}. */
  private long secondStageLeaf(long root, long iova) {
    long above = secondStageTable(root, iova);
    if (above == OTHER) {
      return OTHER;
    }
    long leaf = read(SecondStageEntry.target(above) + SecondStageEntry.offset(iova, 1));
    return format.isPlainLeaf(leaf) ? leaf : OTHER;
  }

  /** A word; that of an absent entry where there is no RAM. */
  private long read(long address) {
    return memory.isRam(address) ? memory.readWord(address) : 0;
  }

  /** Whether an address space has tables like that, one level behind the other. */
  static boolean mayNest(long judged) {
    return JudgedPasid.isNested(judged)
        && JudgedPasid.firstLevels(judged) == LEVELS
        && JudgedPasid.secondLevels(judged) == LEVELS
        && !JudgedPasid.marksSecondLevel(judged);
  }

  /**
   * The page that translates {@code iova} through first-level tables behind second-level ones, as
   * {@link FirstLevelWalk#walk} would find it; or {@link #OTHER}. Only where it {@link #mayNest}.
   */
  long nested(AddressSpace space, long iova, DmaAccess access, int who) {
    // The second level limits a nested entry's address: nothing but XD may be reserved.
    long needed = marks(space.judged);
    long decisive = needed | (JudgedPasid.knowsExecuteDisable(space.judged) ? 0 : EXECUTE_DISABLE);
    long table = space.firstLevelRoot;
    long rights = FirstLevelEntry.ALL_RIGHTS;
    for (int level = LEVELS; level > 1; level--) {
      long entry = readBehind(space, table + SecondStageEntry.offset(iova, level));
      if ((entry & (decisive | PAGE_SIZE)) != needed) {
        return OTHER;
      }
      rights &= FirstLevelEntry.rights(entry);
      table = FirstLevelEntry.target(entry);
    }
    long leaf = readBehind(space, table + SecondStageEntry.offset(iova, 1));
    if ((leaf & decisive) != needed) {
      return OTHER;
    }
    long page = arrive(space, FirstLevelEntry.target(leaf), rights & FirstLevelEntry.rights(leaf));
    boolean dirty = (leaf & DIRTY) != 0;
    if (page == OTHER
        || !Privileges.permit(page, access, who, space.judged)
        || (!dirty && access.dirties(Leaf.permissions(page)))) {
      return OTHER;
    }
    counters.entryReads += NESTED_READS;
    return dirty ? page : Leaf.clean(page);
  }

  private static long marks(long judged) {
    return JudgedPasid.marksExtendedAccessed(judged)
        ? PRESENT_ACCESSED | EXTENDED_ACCESSED
        : PRESENT_ACCESSED;
  }

  /** A word at a second-level input address; that of an absent entry where it is not reached. */
  private long readBehind(AddressSpace space, long input) {
    long leaf =
        input >>> JudgedPasid.limit(space.judged) == 0
            ? secondStageLeaf(space.secondLevelRoot, input)
            : OTHER;
    return leaf == OTHER ? 0 : read(SecondStageEntry.target(leaf) | (input & IN_PAGE));
  }

  /** The page that a first-level leaf leads to, if the second level has it. */
  private long arrive(AddressSpace space, long output, long rights) {
    if (output >>> JudgedPasid.limit(space.judged) != 0) {
      return OTHER;
    }
    long below = secondStageLeaf(space.secondLevelRoot, output);
    long maddr = SecondStageEntry.target(below);
    if (below == OTHER || InterruptRange.contains(maddr)) {
      return OTHER;
    }
    long page = Leaf.of(maddr, 1, SecondStageEntry.READ_WRITE);
    return Leaf.withRights(page, rights, !JudgedPasid.protectsWrites(space.judged));
  }
}
