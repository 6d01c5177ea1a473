package io.hypercalld.core.p2m;

import static io.hypercalld.core.bits.BitField.bit;
import static io.hypercalld.core.bits.BitField.bits;

import io.hypercalld.core.bits.BitField;
import io.hypercalld.core.bits.WordLayout;
import io.hypercalld.core.memory.Mfn;

/**
 * The 64-bit entry of an extended page table as Xen uses it. Never instantiated.
 *
 * <pre>
 *  63   62..59  58  57..52    51..12   11    10   9 8  7    6    5..3 2 1 0
 * +---+--------+--+---------+--------+-----+------+-+-+--+------+-----+-+-+-+
 * |sve| access |pw| sa_p2mt |  mfn   | snp |recalc|d|a|sp| ipat | emt |x|w|r|
 * +---+--------+--+---------+--------+-----+------+-+-+--+------+-----+-+-+-+
 * </pre>
 *
 * @see "xen/arch/x86/include/asm/hvm/vmx/vmx.h, ept_entry_t; SDM Vol. 3, 30.3.2"
 */
public final class P2mEntry {
  public static final BitField R = bit("r", 0);
  public static final BitField W = bit("w", 1);
  public static final BitField X = bit("x", 2);

  /** Memory type; 7 is deliberately invalid and marks an entry that needs a fix-up. */
  public static final BitField EMT = bits("emt", 5, 3);

  /** Ignore the guest's PAT. */
  public static final BitField IPAT = bit("ipat", 6);

  /** A leaf above the lowest level. */
  public static final BitField SP = bit("sp", 7);

  public static final BitField A = bit("a", 8);
  public static final BitField D = bit("d", 9);

  /** The type below needs to be recalculated. */
  public static final BitField RECALC = bit("recalc", 10);

  /** VT-d: snoop. */
  public static final BitField SNP = bit("snp", 11);

  public static final BitField MFN = bits("mfn", 51, 12);
  public static final BitField SA_P2MT = bits("sa_p2mt", 57, 52);

  /** Writable to the paging hardware alone. */
  public static final BitField PW = bit("pw", 58);

  public static final BitField ACCESS = bits("access", 62, 59);
  public static final BitField SUPPRESS_VE = bit("suppress_ve", 63);

  public static final WordLayout LAYOUT =
      WordLayout.covering(
          "p2m-entry",
          R,
          W,
          X,
          EMT,
          IPAT,
          SP,
          A,
          D,
          RECALC,
          SNP,
          MFN,
          SA_P2MT,
          PW,
          ACCESS,
          SUPPRESS_VE);

  /** Memory type uncached. */
  public static final int EMT_UC = 0;

  /** Memory type write-back. */
  public static final int EMT_WB = 6;

  /** What every slot of a new table holds, and what an unmapped one goes back to. */
  public static final long EMPTY = SUPPRESS_VE.mask();

  private static final int INDEX_BITS = 9;
  private static final long INDEX_MASK = (1L << INDEX_BITS) - 1;
  private static final long PERMISSIONS = R.mask() | W.mask() | X.mask();
  private static final long INVALID_TYPE = SA_P2MT.of(P2mType.INVALID.number());

  private P2mEntry() {}

  /** What {@link #EMT} holds in an entry that needs a fix-up. */
  public static final int EMT_MARK = 7;

  /** Bytes from a table's start to the entry for the guest frame; levels count from 1. */
  public static long offset(long gfn, int level) {
    return ((gfn >>> (INDEX_BITS * (level - 1))) & INDEX_MASK) << 3;
  }

  /** Whether the hardware sees the entry: it permits something. */
  public static boolean isPresent(long entry) {
    return (entry & PERMISSIONS) != 0;
  }

  /** Whether the entry holds anything: a leaf, a table, or a type without permissions. */
  public static boolean isValid(long entry) {
    return (entry & ~EMPTY) != 0 && (entry & SA_P2MT.mask()) != INVALID_TYPE;
  }

  /** Whether a valid entry at the level ends the walk. */
  public static boolean isLeaf(long entry, int level) {
    return level == 1 || SP.isSet(entry) || !isPresent(entry);
  }

  /** Whether an entry above the lowest level leads to a table: present and no leaf. */
  public static boolean isTable(long entry) {
    return isPresent(entry) && !SP.isSet(entry);
  }

  /** Whether the entry, or what is below it, needs a fix-up before the hardware may use it. */
  public static boolean isMarked(long entry) {
    return (entry & EMT.mask()) == EMT.mask();
  }

  /** The entry marked, {@code types} saying whether types need to be recalculated, too. */
  static long marked(long entry, boolean types) {
    return entry | EMT.mask() | (types ? RECALC.mask() : 0);
  }

  /** The entry of a table without its mark. */
  static long unmarked(long entry) {
    return entry & ~(EMT.mask() | RECALC.mask());
  }

  /** Whether entries are the same in all but the frame. */
  static boolean areAlike(long one, long other) {
    return ((one ^ other) & ~MFN.mask()) == 0;
  }

  /** The entry with another type and the same permissions: what a look-up reports. */
  static long retyped(long entry, P2mType type) {
    return (entry & ~SA_P2MT.mask()) | SA_P2MT.of(type.number());
  }

  /** Machine address of the frame or table that the entry names. */
  public static long target(long entry) {
    return MFN.inPlace(entry);
  }

  /** The leaf's first frame; all ones of 40 bits where it has none. */
  public static long mfn(long entry) {
    return MFN.get(entry);
  }

  /** Whether the leaf names a frame. */
  public static boolean hasFrame(long entry) {
    return MFN.get(entry) != MFN.max();
  }

  /** The leaf's frame for one guest frame inside it. */
  static Mfn frameWithin(long entry, int level, long gfn) {
    long inside = gfn & ((1L << (INDEX_BITS * (level - 1))) - 1);
    return hasFrame(entry) ? new Mfn(mfn(entry) + inside) : Mfn.INVALID;
  }

  public static P2mType type(long entry) {
    return P2mType.ofNumber(SA_P2MT.getInt(entry));
  }

  public static P2mAccess access(long entry) {
    return P2mAccess.ofNumber(ACCESS.getInt(entry));
  }

  /** What DMA may do through a valid leaf. */
  public static DmaPermission dma(long entry) {
    P2mType type = type(entry);
    if (type != P2mType.MMIO_DIRECT) {
      return type.dma();
    }
    P2mAccess access = access(entry);
    if (!access.isReadable()) {
      return DmaPermission.NONE;
    }
    return access.isWritable() && W.isSet(entry) ? DmaPermission.READ_WRITE : DmaPermission.READ;
  }
}
