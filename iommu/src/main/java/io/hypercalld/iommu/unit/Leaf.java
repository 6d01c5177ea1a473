package io.hypercalld.iommu.unit;

import static io.hypercalld.core.bits.BitField.bit;
import static io.hypercalld.core.bits.BitField.bits;

import io.hypercalld.core.bits.BitField;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.bits.WordLayout;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.iommu.vtd.FaultReason;
import io.hypercalld.iommu.vtd.FirstLevelEntry;
import io.hypercalld.iommu.vtd.InterruptRange;
import io.hypercalld.iommu.vtd.SecondStageEntry;
import java.util.Map;

/**
 * Accessors of the word in which a walk answers and the IOTLB remembers: a page and what may be
 * done to it, or the reason why there is none. Stateless.
 *
 * <pre>
 *  63              24  23   22  21    8   7    6    5     4    3   2 1   0
 * +------------------+-----+----+-------+----+---+------+------+-----+-----+
 * |FRAME (or reason) | REF |AWAY| EPOCH | SW | X | USER |CLEAN |LEVEL|PERMS|
 * +------------------+-----+----+-------+----+---+------+------+-----+-----+
 * </pre>
 *
 * <p>LEVEL is 1 to 3 for a page, so that no page is the zero word; 0 says that FRAME is a fault
 * reason's number, and PERMS then whether an entry was absent rather than wrong. REF, AWAY and
 * EPOCH are the IOTLB's own. PERMS are R and W after the AND over all levels; both clear is a
 * remembered absence. CLEAN: the entry in memory is not marked dirty yet, so a write has to walk
 * once more. The rest is for first-level pages, where W is the user's: SW says whether a supervisor
 * may write, X whether instructions may be fetched, USER whether users may come at all.
 */
final class Leaf {
  private static final BitField PERMISSIONS = bits("PERMS", 1, 0);
  private static final BitField LEVEL = bits("LEVEL", 3, 2);
  private static final BitField CLEAN = bit("CLEAN", 4);
  private static final BitField USER = bit("USER", 5);
  private static final BitField EXECUTE = bit("X", 6);
  private static final BitField SUPERVISOR_WRITE = bit("SW", 7);
  static final BitField EPOCH = bits("EPOCH", 21, 8);
  static final BitField AWAY = bit("AWAY", 22);
  static final BitField REF = bit("REF", 23);
  private static final BitField FRAME = bits("FRAME", 63, 24);

  static final WordLayout LAYOUT =
      WordLayout.covering(
          "leaf",
          PERMISSIONS,
          LEVEL,
          CLEAN,
          USER,
          EXECUTE,
          SUPERVISOR_WRITE,
          EPOCH,
          AWAY,
          REF,
          FRAME);

  // Folded as constants on the way of every request.
  private static final long PERMISSIONS_MASK = PERMISSIONS.max();
  private static final long LEVEL_MASK = LEVEL.max();
  private static final int LEVEL_SHIFT = 2;
  private static final int FRAME_SHIFT = 24;
  private static final long CLEAN_MASK = CLEAN.mask();

  private static final long FLAGS_MASK =
      PERMISSIONS.mask() | CLEAN.mask() | USER.mask() | EXECUTE.mask() | SUPERVISOR_WRITE.mask();
  private static final long INSIDE_4K = PageSize.BYTES_4K - 1L;
  private static final int ABSENT = 1;

  private Leaf() {}

  /** The page at {@code maddr}, a leaf of {@code level}. */
  static long of(long maddr, int level, int permissions) {
    return maddr >>> PageSize.SHIFT_4K << FRAME_SHIFT | (long) level << LEVEL_SHIFT | permissions;
  }

  /** What may be done to a page at address 0, for the one of the same level at {@code maddr}. */
  static long at(long maddr, long page) {
    return maddr >>> PageSize.SHIFT_4K << FRAME_SHIFT | page;
  }

  /** The same page, not marked dirty yet. */
  static long clean(long leaf) {
    return leaf | CLEAN_MASK;
  }

  /**
   * The same page for users and supervisors.
   *
   * @param rights RW, US and the opposite of XD, in the bits of a first-level entry
   * @param supervisorMayWrite whether RW does not count for supervisors
   */
  static long withRights(long leaf, long rights, boolean supervisorMayWrite) {
    boolean writable = FirstLevelEntry.RW.isSet(rights);
    boolean below = SecondStageEntry.permitsWrite(permissions(leaf));
    long user = FirstLevelEntry.US.isSet(rights) ? USER.mask() : 0;
    long execute = FirstLevelEntry.XD.isSet(rights) ? EXECUTE.mask() : 0;
    long supervisor = below && (writable || supervisorMayWrite) ? SUPERVISOR_WRITE.mask() : 0;
    long word = writable ? leaf : leaf & ~SecondStageEntry.W.mask();
    return word | user | execute | supervisor;
  }

  /** What {@link #withRights} was given. */
  static long rights(long leaf) {
    return (SecondStageEntry.permitsWrite(permissions(leaf)) ? FirstLevelEntry.RW.mask() : 0)
        | (USER.isSet(leaf) ? FirstLevelEntry.US.mask() : 0)
        | (EXECUTE.isSet(leaf) ? FirstLevelEntry.XD.mask() : 0);
  }

  static boolean isClean(long leaf) {
    return (leaf & CLEAN_MASK) != 0;
  }

  static boolean isForUsers(long leaf) {
    return USER.isSet(leaf);
  }

  static boolean permitsExecution(long leaf) {
    return EXECUTE.isSet(leaf);
  }

  static boolean permitsSupervisorWrites(long leaf) {
    return SUPERVISOR_WRITE.isSet(leaf);
  }

  /** The answer that there is no page. */
  static long fault(FaultReason reason) {
    return (long) reason.code() << FRAME_SHIFT;
  }

  /** The answer that there is no page because an entry on the way to it is not present. */
  static long absent(FaultReason reason) {
    return fault(reason) | ABSENT;
  }

  /** An absence as a translation that permits nothing, which is how it is remembered. */
  static long remembered() {
    return of(0, 1, 0);
  }

  static boolean isFault(long leaf) {
    return level(leaf) == 0;
  }

  static boolean isAbsent(long fault) {
    return permissions(fault) == ABSENT;
  }

  /** The reason of a fault. */
  static FaultReason reason(long fault) {
    return FaultReason.require((int) (fault >>> FRAME_SHIFT));
  }

  static int level(long leaf) {
    return (int) (leaf >>> LEVEL_SHIFT & LEVEL_MASK);
  }

  static int permissions(long leaf) {
    return (int) (leaf & PERMISSIONS_MASK);
  }

  /** Machine address of the page. */
  static long page(long leaf) {
    return leaf >>> FRAME_SHIFT << PageSize.SHIFT_4K;
  }

  /** Machine address that {@code iova}, an address in the page, translates to. */
  static long maddr(long leaf, long iova) {
    int level = level(leaf);
    // The usual size has a branch of its own: what is predicted need not be waited for.
    long inside = level == 1 ? INSIDE_4K : (1L << SecondStageEntry.shift(level)) - 1;
    return page(leaf) | (iova & inside);
  }

  /** Names and values of a page's fields. */
  static Map<String, Word> decode(long leaf) {
    return LAYOUT.decode(leaf);
  }

  /** The 4 KiB of a page around {@code iova} as a page of its own. */
  static long fractured(long leaf, long iova) {
    return of(maddr(leaf, iova), 1, 0) | (leaf & FLAGS_MASK);
  }

  /**
   * The page as it may be remembered: a superpage that reaches into the interrupt range only piece
   * by piece, because a hit is not checked against the range again.
   */
  static long cacheable(long leaf, long iova) {
    int level = level(leaf);
    return level > 1 && InterruptRange.intersects(page(leaf), SecondStageEntry.shift(level))
        ? fractured(leaf, iova)
        : leaf;
  }

  /**
   * What two levels of translation make together: the smaller page, with what both permit.
   *
   * @param upper a page of second-level input addresses
   * @param lower the page that translates {@code middle}, an address in the upper page
   */
  static long nested(long upper, long lower, long middle) {
    int level = Math.min(level(upper), level(lower));
    long inside = (1L << SecondStageEntry.shift(level)) - 1;
    long page = of(maddr(lower, middle) & ~inside, level, permissions(upper) & permissions(lower));
    long rights = upper & (USER.mask() | EXECUTE.mask());
    boolean supervisorWrites =
        permitsSupervisorWrites(upper) && SecondStageEntry.permitsWrite(permissions(lower));
    return page
        | rights
        | (supervisorWrites ? SUPERVISOR_WRITE.mask() : 0)
        | ((upper | lower) & CLEAN_MASK);
  }
}
