package io.hypercalld.iommu.vtd;

import static io.hypercalld.core.bits.BitField.bit;
import static io.hypercalld.core.bits.BitField.bits;
import static io.hypercalld.core.bits.BitField.ignored;
import static io.hypercalld.core.bits.BitField.reserved;

import io.hypercalld.core.bits.BitField;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.bits.WordLayout;
import io.hypercalld.iommu.pci.SourceId;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * One function's entry of a legacy context table. Immutable.
 *
 * <pre>
 *      63                             12 11       4 3    2   1     0
 *     +---------------------------------+----------+------+-----+---+
 * lo  |             SLPTPTR             | reserved |  TT  | FPD | P |
 *     +---------------------------------+----------+------+-----+---+
 *      63              24 23           8     7      6     3  2    0
 *     +------------------+--------------+----------+--------+------+
 * hi  |     reserved     |     DID      | reserved | ignored|  AW  |
 *     +------------------+--------------+----------+--------+------+
 * </pre>
 *
 * @see "VT-d §9.3"
 */
public record ContextEntry(long lo, long hi) {
  /** Bytes of one entry. */
  public static final int BYTES = 16;

  public static final BitField P = bit("P", 0);
  public static final BitField FPD = bit("FPD", 1);
  public static final BitField TT = bits("TT", 3, 2);
  public static final BitField SLPTPTR = bits("SLPTPTR", 63, 12);
  public static final BitField AW = bits("AW", 2, 0);
  public static final BitField DID = bits("DID", 23, 8);

  public static final WordLayout LO =
      WordLayout.covering("context-entry.lo", P, FPD, TT, reserved(11, 4), SLPTPTR);
  public static final WordLayout HI =
      WordLayout.covering(
          "context-entry.hi", AW, ignored(6, 3), reserved(7, 7), DID, reserved(63, 24));

  /** The entry of a function that may do no DMA. */
  public static final ContextEntry ABSENT = new ContextEntry(0, 0);

  /**
   * The entry of a function whose requests go through second-stage tables.
   *
   * @param root machine address of the top table, a multiple of 4 KiB
   */
  public static ContextEntry translating(long root, AddressWidth width, int domainId) {
    return of(TranslationType.SECOND_STAGE, root, width, domainId);
  }

  /**
   * The entry of a function whose requests pass unchanged.
   *
   * @param widest the widest address width that the unit supports, which the entry must name
   */
  public static ContextEntry passingThrough(AddressWidth widest, int domainId) {
    return of(TranslationType.PASS_THROUGH, 0, widest, domainId);
  }

  /** A present entry of any translation type, fault recording on. */
  public static ContextEntry of(TranslationType type, long root, AddressWidth width, int domainId) {
    return new ContextEntry(
        P.of(1) | TT.of(type.encoding()) | SLPTPTR.of(root >>> SLPTPTR.lsb()),
        AW.of(width.encoding()) | DID.of(domainId));
  }

  /** Offset of the requester's entry in its bus's context table, in bytes. */
  public static int offset(SourceId requester) {
    return requester.devfn() * BYTES;
  }

  public boolean isPresent() {
    return P.isSet(lo);
  }

  /** Whether qualified faults go unrecorded; honoured in absent entries too. */
  public boolean disablesFaultProcessing() {
    return FPD.isSet(lo);
  }

  /** This entry with fault processing disabled or enabled. */
  public ContextEntry withFaultProcessingDisabled(boolean disabled) {
    return new ContextEntry(FPD.put(lo, disabled ? 1 : 0), hi);
  }

  public TranslationType translationType() {
    return TranslationType.of(TT.getInt(lo));
  }

  /** Machine address of the top second-stage table. */
  public long secondStageRoot() {
    return SLPTPTR.inPlace(lo);
  }

  /** The raw AW field, whose upper encodings are reserved. */
  public int addressWidthEncoding() {
    return AW.getInt(hi);
  }

  public int domainId() {
    return DID.getInt(hi);
  }

  /**
   * Whether a bit that must be zero is set: of the layout, of the table address beyond the host's
   * width, of the domain-id beyond the unit's. A pass-through entry's table address is ignored.
   */
  public boolean hasReservedBits(int hostAddressWidth, int domainIdBits) {
    boolean ignoresTable = translationType() == TranslationType.PASS_THROUGH;
    return LO.hasReservedBits(lo)
        || HI.hasReservedBits(hi)
        || (!ignoresTable && secondStageRoot() >>> hostAddressWidth != 0)
        || domainId() >>> domainIdBits != 0;
  }

  /** Names and values of the fields of both words. */
  public Map<String, Word> decode() {
    Map<String, Word> fields = new LinkedHashMap<>(LO.decode(lo));
    fields.putAll(HI.decode(hi));
    return fields;
  }
}
