package io.hypercalld.iommu.vtd;

import static io.hypercalld.core.bits.BitField.bit;
import static io.hypercalld.core.bits.BitField.bits;
import static io.hypercalld.core.bits.BitField.ignored;
import static io.hypercalld.core.bits.BitField.reserved;

import io.hypercalld.core.bits.BitField;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.bits.WordLayout;
import io.hypercalld.core.memory.PageSize;
import java.util.Map;

/**
 * Accessors of a second-stage paging entry, which stays a raw {@code long} so that a walk allocates
 * nothing. Stateless.
 *
 * <pre>
 *  63  62 61     52 51          12  11  10  9   8   7    6  5   3  2   1   0
 * +---+--+---------+--------------+---+---+---+---+----+----+-----+---+---+---+
 * |ign|TM| ignored |     ADDR     |SNP|ign| D | A | PS |IPAT| EMT | X | W | R |
 * +---+--+---------+--------------+---+---+---+---+----+----+-----+---+---+---+
 * </pre>
 *
 * <p>There is no present bit: an entry is present where R or W is set. Which bits are reserved
 * depends on the level, on PS and on the unit: see {@link SecondStageFormat}. Levels count from 1,
 * the tables whose leaves are 4 KiB.
 *
 * @see "VT-d §9.8"
 */
public final class SecondStageEntry {
  /** Bytes of one entry. */
  public static final int BYTES = 8;

  /** Number of entries in a table. */
  public static final int ENTRIES = 512;

  public static final BitField R = bit("R", 0);
  public static final BitField W = bit("W", 1);
  public static final BitField X = bit("X", 2);
  public static final BitField EMT = bits("EMT", 5, 3);
  public static final BitField IPAT = bit("IPAT", 6);
  public static final BitField PS = bit("PS", 7);
  public static final BitField A = bit("A", 8);
  public static final BitField D = bit("D", 9);
  public static final BitField SNP = bit("SNP", 11);
  public static final BitField ADDR = bits("ADDR", 51, 12);
  public static final BitField TM = bit("TM", 62);

  /** A leaf of any size, and with PS, SNP and TM clear also a pointer to the next table. */
  public static final WordLayout LAYOUT =
      WordLayout.covering(
          "second-stage-entry",
          R,
          W,
          X,
          EMT,
          IPAT,
          PS,
          A,
          D,
          ignored(10, 10),
          SNP,
          ADDR,
          ignored(61, 52),
          TM,
          ignored(63, 63));

  /** What {@link #permissions} gives for an entry that permits everything. */
  public static final int READ_WRITE = (int) (R.mask() | W.mask());

  private static final BitField INDEX = bits("index", 8, 0);
  private static final BitField IN_2M = reserved(20, 12);
  private static final BitField IN_1G = reserved(29, 12);

  // Kept apart from the fields so that the walk folds them as constants.
  private static final int INDEX_BITS = 9;
  private static final long PERMISSIONS = R.mask() | W.mask();
  private static final long INDEX_MASK = INDEX.mask();
  private static final long ADDR_MASK = ADDR.mask();
  private static final long PS_MASK = PS.mask();

  private SecondStageEntry() {}

  /**
   * A leaf, snooping and ignored bits clear.
   *
   * @param maddr machine address of the page, a multiple of its size
   * @param permissions R and W, not both clear
   */
  public static long leaf(long maddr, PageSize size, int permissions) {
    long entry = ADDR.of(maddr >>> ADDR.lsb()) | permissions;
    return size == PageSize.SIZE_4K ? entry : PS.set(entry);
  }

  /** An entry that leads to the table at {@code maddr} and takes no permission away. */
  public static long table(long maddr) {
    return ADDR.of(maddr >>> ADDR.lsb()) | PERMISSIONS;
  }

  /** Byte offset, in a table of {@code level}, of the entry that translates {@code iova}. */
  public static long offset(long iova, int level) {
    return (iova >>> shift(level) & INDEX_MASK) * BYTES;
  }

  /** Index, in a table of {@code level}, of the entry that translates {@code iova}. */
  public static int index(long iova, int level) {
    return (int) (iova >>> shift(level) & INDEX_MASK);
  }

  /** log2 of the bytes that one entry of a table of {@code level} covers. */
  public static int shift(int level) {
    return PageSize.SHIFT_4K + (level - 1) * INDEX_BITS;
  }

  /** Bits R and W, 0 to {@link #READ_WRITE}. */
  public static int permissions(long entry) {
    return (int) (entry & PERMISSIONS);
  }

  public static boolean permitsRead(int permissions) {
    return R.isSet(permissions);
  }

  public static boolean permitsWrite(int permissions) {
    return W.isSet(permissions);
  }

  public static boolean isPresent(long entry) {
    return (entry & PERMISSIONS) != 0;
  }

  /** Whether PS is set: a leaf above level 1, where the unit supports its size. */
  public static boolean hasPageSize(long entry) {
    return (entry & PS_MASK) != 0;
  }

  /** Whether a well-formed entry of {@code level} maps a page. */
  public static boolean isLeaf(long entry, int level) {
    return level == 1 || hasPageSize(entry);
  }

  /** Machine address of the page or of the next table. */
  public static long target(long entry) {
    return entry & ADDR_MASK;
  }

  /** Address bits that a leaf of {@code size} must leave clear because they lie inside the page. */
  static long bitsInside(PageSize size) {
    return switch (size) {
      case SIZE_4K -> 0;
      case SIZE_2M -> IN_2M.mask();
      case SIZE_1G -> IN_1G.mask();
    };
  }

  /** Names and values of the fields. */
  public static Map<String, Word> decode(long entry) {
    return LAYOUT.decode(entry);
  }
}
