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
 * Accessors of a first-level paging entry, the processor's own format, which stays a raw {@code
 * long} so that a walk allocates nothing. Stateless.
 *
 * <pre>
 *  63 62     52 51          12 11  10  9   8   7    6   5   4    3     2    1   0
 * +--+---------+--------------+---+--+---+---+----+---+---+-----+-----+----+----+---+
 * |XD| ignored |     ADDR     |ign|EA|ign| G | PS | D | A | PCD | PWT | US | RW | P |
 * +--+---------+--------------+---+--+---+---+----+---+---+-----+-----+----+----+---+
 * </pre>
 *
 * <p>Bit 7 of an entry of level 1 and bit 12 of a larger leaf choose a memory type. Which bits are
 * reserved depends on the level, on PS and on the unit: see {@link FirstLevelFormat}. Index and
 * shift of a level are those of {@link SecondStageEntry}.
 *
 * @see "VT-d §9.7"
 */
public final class FirstLevelEntry {
  public static final BitField P = bit("P", 0);
  public static final BitField RW = bit("RW", 1);
  public static final BitField US = bit("US", 2);
  public static final BitField PWT = bit("PWT", 3);
  public static final BitField PCD = bit("PCD", 4);
  public static final BitField A = bit("A", 5);
  public static final BitField D = bit("D", 6);
  public static final BitField PS = bit("PS", 7);
  public static final BitField G = bit("G", 8);
  public static final BitField EA = bit("EA", 10);
  public static final BitField ADDR = bits("ADDR", 51, 12);
  public static final BitField XD = bit("XD", 63);

  public static final WordLayout LAYOUT =
      WordLayout.covering(
          "first-level-entry",
          P,
          RW,
          US,
          PWT,
          PCD,
          A,
          D,
          PS,
          G,
          ignored(9, 9),
          EA,
          ignored(11, 11),
          ADDR,
          ignored(62, 52),
          XD);

  /** What {@link #rights} gives for an entry that takes nothing away. */
  public static final long ALL_RIGHTS = RW.mask() | US.mask() | XD.mask();

  private static final BitField IN_2M = reserved(20, 13);
  private static final BitField IN_1G = reserved(29, 13);
  private static final BitField IN_LARGE_PAGE = reserved(12, 12);

  // Kept apart from the fields so that the walk folds them as constants.
  private static final long P_MASK = P.mask();
  private static final long PS_MASK = PS.mask();
  private static final long ADDR_MASK = ADDR.mask();
  private static final long XD_MASK = XD.mask();
  private static final long PAT_MASK = IN_LARGE_PAGE.mask();
  private static final int SIGN_BITS = Long.SIZE - 1;

  private FirstLevelEntry() {}

  /**
   * A leaf for users, not yet accessed.
   *
   * @param address of the page, a multiple of its size
   */
  public static long leaf(long address, PageSize size, boolean writable) {
    long entry = ADDR.of(address >>> ADDR.lsb()) | P.of(1) | US.of(1) | RW.of(writable ? 1 : 0);
    return size == PageSize.SIZE_4K ? entry : PS.set(entry);
  }

  /** An entry that leads to the table at {@code address} and takes no permission away. */
  public static long table(long address) {
    return ADDR.of(address >>> ADDR.lsb()) | P.of(1) | US.of(1) | RW.of(1);
  }

  public static boolean isPresent(long entry) {
    return (entry & P_MASK) != 0;
  }

  /** Whether a well-formed entry of {@code level} maps a page. */
  public static boolean isLeaf(long entry, int level) {
    return level == 1 || (entry & PS_MASK) != 0;
  }

  /** Address of the table that an entry leads to. */
  public static long target(long entry) {
    return entry & ADDR_MASK;
  }

  /** Address of the page that a well-formed leaf of {@code level} maps. */
  public static long page(long leaf, int level) {
    return level == 1 ? leaf & ADDR_MASK : leaf & ADDR_MASK & ~PAT_MASK;
  }

  /**
   * RW, US and the opposite of XD, all in the bits of their fields: to be and-ed over all levels.
   */
  public static long rights(long entry) {
    return (entry ^ XD_MASK) & ALL_RIGHTS;
  }

  /** Whether the bits above the reach of {@code levels} levels all equal the highest below. */
  public static boolean isCanonical(long iova, int levels) {
    int unused = SIGN_BITS - (SecondStageEntry.shift(levels + 1) - 1);
    return iova << unused >> unused == iova;
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
