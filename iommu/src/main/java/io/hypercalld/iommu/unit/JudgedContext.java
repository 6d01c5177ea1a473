package io.hypercalld.iommu.unit;

import static io.hypercalld.core.bits.BitField.bit;
import static io.hypercalld.core.bits.BitField.bits;
import static io.hypercalld.core.bits.BitField.reserved;

import io.hypercalld.core.bits.BitField;
import io.hypercalld.core.bits.WordLayout;
import io.hypercalld.iommu.vtd.FaultReason;
import java.util.Optional;

/**
 * Accessors of the word that holds what a requester's context entry means for its requests, so that
 * the entry is judged once and not at each request. Stateless.
 *
 * <pre>
 *  58 57   42   41    40  39   24  23    22   21  20  19   13 12    10 9     2 1    0
 * +---+------+------+---+-------+-----+----+----+---+-------+--------+-------+------+
 * | V | SID  |PASIDS|FPD|  DID  |AWBAD|ATS | SM |REF| LIMIT | LEVELS |REASON | KIND |
 * +---+------+------+---+-------+-----+----+----+---+-------+--------+-------+------+
 * </pre>
 *
 * <p>V is set, so that no judged context is the zero word. LIMIT is the number of input address
 * bits. AWBAD: the fault is that of the address width, which requests that carry a translation meet
 * later than their own. SM: an entry of scalable mode, of which ATS and PASIDS are what it lets the
 * device do. REF is the context cache's own.
 */
final class JudgedContext {
  private static final BitField KIND = bits("KIND", 1, 0);
  private static final BitField REASON = bits("REASON", 9, 2);
  private static final BitField LEVELS = bits("LEVELS", 12, 10);
  private static final BitField LIMIT = bits("LIMIT", 19, 13);
  static final BitField REF = bit("REF", 20);
  private static final BitField SM = bit("SM", 21);
  private static final BitField ATS = bit("ATS", 22);
  private static final BitField AWBAD = bit("AWBAD", 23);
  private static final BitField DID = bits("DID", 39, 24);
  private static final BitField FPD = bit("FPD", 40);
  private static final BitField SID = bits("SID", 57, 42);
  private static final BitField V = bit("V", 58);
  private static final BitField PASIDS = bit("PASIDS", 41);

  static final WordLayout LAYOUT =
      WordLayout.covering(
          "judged-context",
          KIND,
          REASON,
          LEVELS,
          LIMIT,
          REF,
          SM,
          ATS,
          AWBAD,
          DID,
          FPD,
          PASIDS,
          SID,
          V,
          reserved(63, 59));

  private static final int LEADS_TO_PASIDS = 0;
  private static final int TRANSLATES = 1;
  private static final int PASSES = 2;
  private static final int FAULTS = 3;

  // Folded as constants on the way of every request.
  private static final long KIND_MASK = KIND.max();
  private static final long DID_MASK = DID.max();
  private static final int DID_SHIFT = 24;
  private static final int SID_SHIFT = 42;
  private static final long SID_MASK = SID.max();
  private static final long LEVELS_MASK = LEVELS.max();
  private static final int LEVELS_SHIFT = 10;
  private static final int LIMIT_SHIFT = 13;
  private static final long LIMIT_MASK = LIMIT.max();
  private static final long VALID = V.mask() >>> SID_SHIFT;

  private JudgedContext() {}

  static long translating(int levels, int limit, int domainId) {
    return KIND.of(TRANSLATES) | LEVELS.of(levels) | LIMIT.of(limit) | DID.of(domainId);
  }

  static long passing(int limit, int domainId) {
    return KIND.of(PASSES) | LIMIT.of(limit) | DID.of(domainId);
  }

  static long faulting(FaultReason reason) {
    return KIND.of(FAULTS) | REASON.of(reason.code());
  }

  static long withWidthInvalid() {
    return AWBAD.set(faulting(FaultReason.CONTEXT_INVALID));
  }

  /** Scalable mode's context, which says where the PASIDs are. */
  static long leadingToPasids(boolean admitsDeviceTlb, boolean admitsPasids) {
    return KIND.of(LEADS_TO_PASIDS)
        | ATS.of(admitsDeviceTlb ? 1 : 0)
        | PASIDS.of(admitsPasids ? 1 : 0);
  }

  /** The same, of scalable mode. */
  static long scalable(long judged) {
    return SM.set(judged);
  }

  /** The same, for a device that may keep translations. */
  static long withDeviceTlb(long judged) {
    return ATS.set(judged);
  }

  /** The same for this requester, whose entry disables fault processing or not. */
  static long of(long judged, int sourceId, boolean disablesFaultProcessing) {
    return judged | V.of(1) | SID.of(sourceId) | FPD.of(disablesFaultProcessing ? 1 : 0);
  }

  static boolean translates(long judged) {
    return (judged & KIND_MASK) == TRANSLATES;
  }

  static boolean passes(long judged) {
    return (judged & KIND_MASK) == PASSES;
  }

  static boolean faults(long judged) {
    return (judged & KIND_MASK) == FAULTS;
  }

  /** Whether the entry is one of scalable mode. */
  static boolean isScalable(long judged) {
    return SM.isSet(judged);
  }

  /** Whether requests may carry translations or ask for them. */
  static boolean admitsDeviceTlb(long judged) {
    return ATS.isSet(judged);
  }

  /** Whether requests may carry a PASID. */
  static boolean admitsPasids(long judged) {
    return PASIDS.isSet(judged);
  }

  static boolean isWidthInvalid(long judged) {
    return AWBAD.isSet(judged);
  }

  static FaultReason reason(long judged) {
    return FaultReason.require(REASON.getInt(judged));
  }

  /** The fault of a context, if it is one. */
  static Optional<FaultReason> fault(long judged) {
    return faults(judged) ? Optional.of(reason(judged)) : Optional.empty();
  }

  static int levels(long judged) {
    return (int) (judged >>> LEVELS_SHIFT & LEVELS_MASK);
  }

  /** Number of bits that an input address may have. */
  static int limit(long judged) {
    return (int) (judged >>> LIMIT_SHIFT & LIMIT_MASK);
  }

  static int domainId(long judged) {
    return (int) (judged >>> DID_SHIFT & DID_MASK);
  }

  static boolean disablesFaultProcessing(long judged) {
    return FPD.isSet(judged);
  }

  /** Whether this is the context of that requester; never so for the zero word. */
  static boolean isOf(int sourceId, long judged) {
    return judged >>> SID_SHIFT == (VALID | sourceId);
  }

  static int sourceId(long judged) {
    return (int) (judged >>> SID_SHIFT & SID_MASK);
  }
}
