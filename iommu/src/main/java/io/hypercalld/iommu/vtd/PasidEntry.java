package io.hypercalld.iommu.vtd;

import static io.hypercalld.core.bits.BitField.bit;
import static io.hypercalld.core.bits.BitField.bits;
import static io.hypercalld.core.bits.BitField.reserved;

import io.hypercalld.core.bits.BitField;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.bits.WordLayout;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * One address space's entry of a PASID table, 64 bytes. Immutable.
 *
 * <pre>
 *      63                12 11 10    9     8  6    5   4  2   1    0
 *     +--------------------+-----+-------+------+------+----+-----+---+
 * q0  |      SLPTPTR       | rsv | SLADE | PGTT | SLEE | AW | FPD | P |
 *     +--------------------+-----+-------+------+------+----+-----+---+
 *      63    32  31    30  29 27  26   25   24      23   22    16 15      0
 *     +--------+-----+-----+-----+----+----+-------+-------+--------+--------+
 * q1  |  PAT   | PCD | PWT | EMT |EMTE| CD | PGSNP | PWSNP |  rsv   |  DID   |
 *     +--------+-----+-----+-----+----+----+-------+-------+--------+--------+
 *      63                12 11  8   7    6     5     4    3  2    1     0
 *     +--------------------+-----+------+------+-----+-----+------+-----+-----+
 * q2  |      FLPTPTR       | rsv | EAFE | SMEP | NXE | WPE | FLPM | ERE | SRE |
 *     +--------------------+-----+------+------+-----+-----+------+-----+-----+
 * </pre>
 *
 * @param rest the words 3 to 7, which are reserved, or-ed together
 * @see "VT-d §9.6"
 */
public record PasidEntry(long q0, long q1, long q2, long rest) {
  /** Bytes of one entry. */
  public static final int BYTES = 64;

  public static final BitField P = bit("P", 0);
  public static final BitField FPD = bit("FPD", 1);
  public static final BitField AW = bits("AW", 4, 2);
  public static final BitField SLEE = bit("SLEE", 5);
  public static final BitField PGTT = bits("PGTT", 8, 6);
  public static final BitField SLADE = bit("SLADE", 9);
  public static final BitField SLPTPTR = bits("SLPTPTR", 63, 12);

  public static final BitField DID = bits("DID", 15, 0);
  public static final BitField PWSNP = bit("PWSNP", 23);
  public static final BitField PGSNP = bit("PGSNP", 24);
  public static final BitField CD = bit("CD", 25);
  public static final BitField EMTE = bit("EMTE", 26);
  public static final BitField EMT = bits("EMT", 29, 27);
  public static final BitField PWT = bit("PWT", 30);
  public static final BitField PCD = bit("PCD", 31);
  public static final BitField PAT = bits("PAT", 63, 32);

  public static final BitField SRE = bit("SRE", 0);
  public static final BitField ERE = bit("ERE", 1);
  public static final BitField FLPM = bits("FLPM", 3, 2);
  public static final BitField WPE = bit("WPE", 4);
  public static final BitField NXE = bit("NXE", 5);
  public static final BitField SMEP = bit("SMEP", 6);
  public static final BitField EAFE = bit("EAFE", 7);
  public static final BitField FLPTPTR = bits("FLPTPTR", 63, 12);

  public static final WordLayout Q0 =
      WordLayout.covering(
          "pasid-entry.q0", P, FPD, AW, SLEE, PGTT, SLADE, reserved(11, 10), SLPTPTR);
  public static final WordLayout Q1 =
      WordLayout.covering(
          "pasid-entry.q1", DID, reserved(22, 16), PWSNP, PGSNP, CD, EMTE, EMT, PWT, PCD, PAT);
  public static final WordLayout Q2 =
      WordLayout.covering(
          "pasid-entry.q2", SRE, ERE, FLPM, WPE, NXE, SMEP, EAFE, reserved(11, 8), FLPTPTR);

  /** The entry of an address space that may not be used. */
  public static final PasidEntry ABSENT = new PasidEntry(0, 0, 0, 0);

  /** Values of {@link #FLPM}. */
  public static final int FOUR_LEVELS = 0;

  public static final int FIVE_LEVELS = 1;

  private static final int IN_TABLE = 0x3f;

  /** Which tables translate: field PGTT, of which the other encodings are invalid. */
  public enum Granularity {
    FIRST_LEVEL(1),
    SECOND_LEVEL(2),
    NESTED(3),
    PASS_THROUGH(4);

    private final int encoding;

    Granularity(int encoding) {
      this.encoding = encoding;
    }

    public int encoding() {
      return encoding;
    }

    public boolean usesFirstLevel() {
      return this == FIRST_LEVEL || this == NESTED;
    }

    public boolean usesSecondLevel() {
      return this == SECOND_LEVEL || this == NESTED;
    }
  }

  /** An entry whose requests go through first-level tables of four levels. */
  public static PasidEntry firstLevel(long root, int domainId) {
    return new PasidEntry(
        P.of(1) | PGTT.of(Granularity.FIRST_LEVEL.encoding()),
        DID.of(domainId),
        FLPTPTR.of(root >>> FLPTPTR.lsb()),
        0);
  }

  /** An entry whose requests go through second-level tables. */
  public static PasidEntry secondLevel(long root, AddressWidth width, int domainId) {
    return new PasidEntry(
        P.of(1)
            | PGTT.of(Granularity.SECOND_LEVEL.encoding())
            | AW.of(width.encoding())
            | SLPTPTR.of(root >>> SLPTPTR.lsb()),
        DID.of(domainId),
        0,
        0);
  }

  /** This first-level entry with its tables and pages translated by second-level ones. */
  public PasidEntry nestedIn(long secondLevelRoot, AddressWidth width) {
    PasidEntry below = secondLevel(secondLevelRoot, width, 0);
    return new PasidEntry(PGTT.put(below.q0, Granularity.NESTED.encoding()), q1, q2, rest);
  }

  /**
   * Another's first-level tables, all translated by second-level ones; the other's switches for
   * requests and memory types stay, its switches for second-level tables do not.
   */
  public static PasidEntry nested(
      PasidEntry first, long secondLevelRoot, AddressWidth width, int domainId) {
    PasidEntry below = secondLevel(secondLevelRoot, width, domainId);
    return new PasidEntry(
        PGTT.put(below.q0, Granularity.NESTED.encoding()),
        DID.put(first.q1, domainId),
        first.q2,
        0);
  }

  /** An entry whose requests pass unchanged. */
  public static PasidEntry passingThrough(int domainId) {
    return new PasidEntry(
        P.of(1) | PGTT.of(Granularity.PASS_THROUGH.encoding()), DID.of(domainId), 0, 0);
  }

  /** This entry with a width of second-level addresses, which where none are walked is ignored. */
  public PasidEntry naming(AddressWidth width) {
    return new PasidEntry(AW.put(q0, width.encoding()), q1, q2, rest);
  }

  /** Offset of the PASID's entry in its table, in bytes. */
  public static int offset(int pasid) {
    return (pasid & IN_TABLE) * BYTES;
  }

  /** Which tables translate; empty where the field says nothing that means any. */
  public Optional<Granularity> granularity() {
    return Arrays.stream(Granularity.values())
        .filter(each -> each.encoding() == granularityEncoding())
        .findFirst();
  }

  public boolean isPresent() {
    return P.isSet(q0);
  }

  /** Whether qualified faults go unrecorded; honoured in absent entries too. */
  public boolean disablesFaultProcessing() {
    return FPD.isSet(q0);
  }

  /** The raw PGTT field. */
  public int granularityEncoding() {
    return PGTT.getInt(q0);
  }

  /** The raw AW field. */
  public int addressWidthEncoding() {
    return AW.getInt(q0);
  }

  /** The raw FLPM field. */
  public int pagingMode() {
    return FLPM.getInt(q2);
  }

  public int domainId() {
    return DID.getInt(q1);
  }

  /** Machine address of the top second-level table. */
  public long secondLevelRoot() {
    return SLPTPTR.inPlace(q0);
  }

  /** Address of the top first-level table: of the machine, or a second-level input when nested. */
  public long firstLevelRoot() {
    return FLPTPTR.inPlace(q2);
  }

  /** Whether a bit that must be zero in every entry is set. */
  public boolean hasReservedBits() {
    return Q0.hasReservedBits(q0) || Q1.hasReservedBits(q1) || Q2.hasReservedBits(q2) || rest != 0;
  }

  /** Names and values of the fields. */
  public Map<String, Word> decode() {
    Map<String, Word> fields = new LinkedHashMap<>(Q0.decode(q0));
    fields.putAll(Q1.decode(q1));
    fields.putAll(Q2.decode(q2));
    return fields;
  }
}
