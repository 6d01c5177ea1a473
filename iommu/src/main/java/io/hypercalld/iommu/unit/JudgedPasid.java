package io.hypercalld.iommu.unit;

import static io.hypercalld.core.bits.BitField.bit;
import static io.hypercalld.core.bits.BitField.bits;
import static io.hypercalld.core.bits.BitField.reserved;

import io.hypercalld.core.bits.BitField;
import io.hypercalld.core.bits.WordLayout;
import io.hypercalld.iommu.vtd.FaultReason;
import java.util.Optional;

/**
 * Accessors of the word that holds what a PASID entry means for the requests of its address space,
 * so that the entry is judged once and not at each request. Stateless.
 *
 * <pre>
 *  56  55    51   50    49   48   47  46  45  44  43  42      36 35 33 32 30 29   13 12  11  10   3 2  0
 * +---+-----+------+-----+----+---+---+---+---+----+----------+-----+-----+-------+---+---+------+----+
 * | V | rsv |UPDATE|SLADE|EAFE|SMEP|NXE|WPE|ERE|SRE|  LIMIT   | SLL | FLL | SPACE |FPD|REF|REASON|KIND|
 * +---+-----+------+-----+----+---+---+---+---+----+----------+-----+-----+-------+---+---+------+----+
 * </pre>
 *
 * <p>V is set, so that no judged entry is the zero word. SPACE is its number in {@link
 * AddressSpaces}, LIMIT the number of second-level input address bits, FLL and SLL the levels of
 * the tables. UPDATE: entries may be marked accessed and dirty. REF is the PASID cache's own.
 */
final class JudgedPasid {
  private static final BitField KIND = bits("KIND", 2, 0);
  private static final BitField REASON = bits("REASON", 10, 3);
  static final BitField REF = bit("REF", 11);
  private static final BitField FPD = bit("FPD", 12);
  private static final BitField SPACE = bits("SPACE", 29, 13);
  private static final BitField FLL = bits("FLL", 32, 30);
  private static final BitField SLL = bits("SLL", 35, 33);
  private static final BitField LIMIT = bits("LIMIT", 42, 36);
  private static final BitField SRE = bit("SRE", 43);
  private static final BitField ERE = bit("ERE", 44);
  private static final BitField WPE = bit("WPE", 45);
  private static final BitField NXE = bit("NXE", 46);
  private static final BitField SMEP = bit("SMEP", 47);
  private static final BitField EAFE = bit("EAFE", 48);
  private static final BitField SLADE = bit("SLADE", 49);
  private static final BitField UPDATE = bit("UPDATE", 50);
  private static final BitField V = bit("V", 56);

  static final WordLayout LAYOUT =
      WordLayout.covering(
          "judged-pasid",
          KIND,
          REASON,
          REF,
          FPD,
          SPACE,
          FLL,
          SLL,
          LIMIT,
          SRE,
          ERE,
          WPE,
          NXE,
          SMEP,
          EAFE,
          SLADE,
          UPDATE,
          reserved(55, 51),
          V,
          reserved(63, 57));

  private static final int FIRST_LEVEL = 1;
  private static final int SECOND_LEVEL = 2;
  private static final int NESTED = 3;
  private static final int PASSES = 4;
  private static final int FAULTS = 5;

  private static final long SHAPE = KIND.mask() | FLL.mask() | SLL.mask() | SLADE.mask();

  private JudgedPasid() {}

  static long faulting(FaultReason reason, boolean disablesFaultProcessing) {
    return V.of(1)
        | KIND.of(FAULTS)
        | REASON.of(reason.code())
        | FPD.of(disablesFaultProcessing ? 1 : 0);
  }

  static long passing(int limit) {
    return V.of(1) | KIND.of(PASSES) | LIMIT.of(limit);
  }

  static long secondLevel(int levels, int limit) {
    return V.of(1) | KIND.of(SECOND_LEVEL) | SLL.of(levels) | LIMIT.of(limit);
  }

  static long firstLevel(int levels) {
    return V.of(1) | KIND.of(FIRST_LEVEL) | FLL.of(levels);
  }

  /** A first level of so many levels on top of what {@code secondLevel} says. */
  static long nested(int levels, long secondLevel) {
    return FLL.put(KIND.put(secondLevel, NESTED), levels);
  }

  static long withFaultProcessingDisabled(long judged, boolean disabled) {
    return FPD.put(judged, disabled ? 1 : 0);
  }

  static long withSpace(long judged, int space) {
    return SPACE.put(judged, space);
  }

  /** The same with the switches for requests: who may ask for what. */
  static long withRequests(long judged, boolean supervisors, boolean execution) {
    return SRE.put(ERE.put(judged, execution ? 1 : 0), supervisors ? 1 : 0);
  }

  /** The same with the first level's switches. */
  static long withProtection(
      long judged, boolean writeProtect, boolean noExecute, boolean supervisorPrevention) {
    long word = WPE.put(judged, writeProtect ? 1 : 0);
    return SMEP.put(NXE.put(word, noExecute ? 1 : 0), supervisorPrevention ? 1 : 0);
  }

  /** The same with what is marked in tables, and whether it can be. */
  static long withMarks(
      long judged, boolean extendedAccessed, boolean secondLevel, boolean possible) {
    long word = EAFE.put(judged, extendedAccessed ? 1 : 0);
    return UPDATE.put(SLADE.put(word, secondLevel ? 1 : 0), possible ? 1 : 0);
  }

  static boolean faults(long judged) {
    return KIND.get(judged) == FAULTS;
  }

  static boolean passes(long judged) {
    return KIND.get(judged) == PASSES;
  }

  static boolean isSecondLevelOnly(long judged) {
    return KIND.get(judged) == SECOND_LEVEL;
  }

  static boolean isNested(long judged) {
    return KIND.get(judged) == NESTED;
  }

  static FaultReason reason(long judged) {
    return FaultReason.require(REASON.getInt(judged));
  }

  /** The fault of an entry, if it is one. */
  static Optional<FaultReason> fault(long judged) {
    return faults(judged) ? Optional.of(reason(judged)) : Optional.empty();
  }

  static boolean disablesFaultProcessing(long judged) {
    return FPD.isSet(judged);
  }

  static int space(long judged) {
    return SPACE.getInt(judged);
  }

  static int firstLevels(long judged) {
    return FLL.getInt(judged);
  }

  static int secondLevels(long judged) {
    return SLL.getInt(judged);
  }

  /** Number of bits that a second-level input address may have. */
  static int limit(long judged) {
    return LIMIT.getInt(judged);
  }

  /** Kind, levels and SLADE: what decides how the tables are walked. */
  static long shape(long judged) {
    return judged & SHAPE;
  }

  static boolean admitsSupervisors(long judged) {
    return SRE.isSet(judged);
  }

  static boolean admitsExecution(long judged) {
    return ERE.isSet(judged);
  }

  static boolean protectsWrites(long judged) {
    return WPE.isSet(judged);
  }

  static boolean knowsExecuteDisable(long judged) {
    return NXE.isSet(judged);
  }

  static boolean preventsSupervisorExecution(long judged) {
    return SMEP.isSet(judged);
  }

  static boolean marksExtendedAccessed(long judged) {
    return EAFE.isSet(judged);
  }

  static boolean marksSecondLevel(long judged) {
    return SLADE.isSet(judged);
  }

  static boolean canMark(long judged) {
    return UPDATE.isSet(judged);
  }
}
