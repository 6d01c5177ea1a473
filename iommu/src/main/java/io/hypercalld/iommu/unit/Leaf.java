package io.hypercalld.iommu.unit;

import static io.hypercalld.core.bits.BitField.bit;
import static io.hypercalld.core.bits.BitField.bits;

import io.hypercalld.core.bits.BitField;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.bits.WordLayout;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.iommu.vtd.FaultReason;
import io.hypercalld.iommu.vtd.SecondStageEntry;
import java.util.Map;

/**
 * Accessors of the word in which a walk answers and the IOTLB remembers: a page and what may be
 * done to it, or the reason why there is none. Stateless.
 *
 * <pre>
 *  63                    24  23  22          4 3     2 1     0
 * +------------------------+-----+-------------+-------+-------+
 * |  FRAME (or reason)     | REF |    EPOCH    | LEVEL | PERMS |
 * +------------------------+-----+-------------+-------+-------+
 * </pre>
 *
 * <p>LEVEL is 1 to 3 for a page, so that no page is the zero word; 0 says that FRAME is a fault
 * reason's number, and PERMS then whether an entry was absent rather than wrong. REF and EPOCH are
 * the IOTLB's own. PERMS are R and W after the AND over all levels; both clear is a remembered
 * absence.
 */
final class Leaf {
  private static final BitField PERMISSIONS = bits("PERMS", 1, 0);
  private static final BitField LEVEL = bits("LEVEL", 3, 2);
  static final BitField EPOCH = bits("EPOCH", 22, 4);
  static final BitField REF = bit("REF", 23);
  private static final BitField FRAME = bits("FRAME", 63, 24);

  static final WordLayout LAYOUT =
      WordLayout.covering("leaf", PERMISSIONS, LEVEL, EPOCH, REF, FRAME);

  // Folded as constants on the way of every request.
  private static final long PERMISSIONS_MASK = PERMISSIONS.max();
  private static final long LEVEL_MASK = LEVEL.max();
  private static final int LEVEL_SHIFT = 2;
  private static final int FRAME_SHIFT = 24;

  private static final long INSIDE_4K = PageSize.BYTES_4K - 1L;
  private static final int ABSENT = 1;

  private Leaf() {}

  /** The page at {@code maddr}, a leaf of {@code level}. */
  static long of(long maddr, int level, int permissions) {
    return maddr >>> PageSize.SHIFT_4K << FRAME_SHIFT | (long) level << LEVEL_SHIFT | permissions;
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
    int code = (int) (fault >>> FRAME_SHIFT);
    return FaultReason.of(code)
        .orElseThrow(() -> new IllegalStateException("no fault reason " + code));
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
    return of(maddr(leaf, iova), 1, permissions(leaf));
  }
}
