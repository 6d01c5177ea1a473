package io.hypercalld.iommu.vtd;

import static io.hypercalld.core.bits.BitField.bit;
import static io.hypercalld.core.bits.BitField.bits;
import static io.hypercalld.core.bits.BitField.reserved;

import io.hypercalld.core.bits.BitField;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.bits.WordLayout;
import io.hypercalld.iommu.pci.SourceId;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * One function's entry of a scalable-mode context table. Immutable.
 *
 * <pre>
 *      63                       12 11   9 8        5   4     3      2     1    0
 *     +---------------------------+------+----------+-----+--------+-----+-----+---+
 * q0  |        PASIDDIRPTR        | PDTS | reserved | PRE | PASIDE | DTE | FPD | P |
 *     +---------------------------+------+----------+-----+--------+-----+-----+---+
 *      63                                         21     20      19               0
 *     +---------------------------------------------+----------+------------------+
 * q1  |                  reserved                   | RID_PRIV |    RID_PASID     |
 *     +---------------------------------------------+----------+------------------+
 * </pre>
 *
 * <p>Words 2 and 3 are reserved.
 *
 * @see "VT-d §9.4"
 */
public record ScalableContextEntry(long q0, long q1, long q2, long q3) {
  /** Bytes of one entry. */
  public static final int BYTES = 32;

  public static final BitField P = bit("P", 0);
  public static final BitField FPD = bit("FPD", 1);
  public static final BitField DTE = bit("DTE", 2);
  public static final BitField PASIDE = bit("PASIDE", 3);
  public static final BitField PRE = bit("PRE", 4);
  public static final BitField PDTS = bits("PDTS", 11, 9);
  public static final BitField PASIDDIRPTR = bits("PASIDDIRPTR", 63, 12);
  public static final BitField RID_PASID = bits("RID_PASID", 19, 0);
  public static final BitField RID_PRIV = bit("RID_PRIV", 20);

  public static final WordLayout Q0 =
      WordLayout.covering(
          "scalable-context-entry.q0", P, FPD, DTE, PASIDE, PRE, reserved(8, 5), PDTS, PASIDDIRPTR);
  public static final WordLayout Q1 =
      WordLayout.covering("scalable-context-entry.q1", RID_PASID, RID_PRIV, reserved(63, 21));

  private static final int IN_HALF = 0x7f;

  /** log2 of the PASIDs that the smallest directory reaches: 128 entries of 64 PASIDs each. */
  private static final int SMALLEST_DIRECTORY = 13;

  /**
   * A present entry with the smallest directory and nothing optional switched on.
   *
   * @param directory machine address of the PASID directory, a multiple of 4 KiB
   */
  public static ScalableContextEntry to(long directory) {
    return new ScalableContextEntry(
        P.of(1) | PASIDDIRPTR.of(directory >>> PASIDDIRPTR.lsb()), 0, 0, 0);
  }

  /** log2 of the PASIDs that a directory named by such an entry can have at least, and at most. */
  public static final int LEAST_PASID_BITS = SMALLEST_DIRECTORY;

  public static final int MOST_PASID_BITS = SMALLEST_DIRECTORY + (int) PDTS.max();

  /** This entry with these of its switches on. */
  public ScalableContextEntry with(boolean deviceTlb, boolean pasids) {
    return new ScalableContextEntry(
        DTE.put(PASIDE.put(q0, pasids ? 1 : 0), deviceTlb ? 1 : 0), q1, q2, q3);
  }

  /** This entry with a directory of so many bits of PASID, from the least to the most. */
  public ScalableContextEntry withPasidBits(int bits) {
    return new ScalableContextEntry(PDTS.put(q0, bits - SMALLEST_DIRECTORY), q1, q2, q3);
  }

  /** log2 of the PASIDs that the directory has. */
  public int pasidBits() {
    return PDTS.getInt(q0) + SMALLEST_DIRECTORY;
  }

  /** The raw PASID of requests without PASID. */
  public int requestPasid() {
    return requestPasid(q1);
  }

  /** Offset of the requester's entry in its half bus's context table, in bytes. */
  public static int offset(SourceId requester) {
    return (requester.devfn() & IN_HALF) * BYTES;
  }

  public boolean isPresent() {
    return P.isSet(q0);
  }

  /** Whether qualified faults go unrecorded; honoured in absent entries too. */
  public boolean disablesFaultProcessing() {
    return FPD.isSet(q0);
  }

  public boolean enablesDeviceTlb() {
    return DTE.isSet(q0);
  }

  public boolean enablesPasids() {
    return PASIDE.isSet(q0);
  }

  public boolean enablesPageRequests() {
    return PRE.isSet(q0);
  }

  /** Machine address of the PASID directory. */
  public long directory() {
    return directory(q0);
  }

  /** Machine address of the PASID directory of the entry whose first word this is. */
  public static long directory(long q0) {
    return PASIDDIRPTR.inPlace(q0);
  }

  /** Whether the directory of the entry whose first word this is reaches the PASID. */
  public static boolean reaches(long q0, int pasid) {
    return pasid >>> (PDTS.getInt(q0) + SMALLEST_DIRECTORY) == 0;
  }

  /** The PASID of requests without PASID, of the entry whose second word this is. */
  public static int requestPasid(long q1) {
    return RID_PASID.getInt(q1);
  }

  /** Whether requests without PASID are a supervisor's. */
  public static boolean requestsArePrivileged(long q1) {
    return RID_PRIV.isSet(q1);
  }

  /** Whether a bit that must be zero is set: of the layout, or of the directory's address. */
  public boolean hasReservedBits(int hostAddressWidth) {
    return Q0.hasReservedBits(q0)
        || Q1.hasReservedBits(q1)
        || (q2 | q3) != 0
        || directory() >>> hostAddressWidth != 0;
  }

  /** Names and values of the fields. */
  public Map<String, Word> decode() {
    Map<String, Word> fields = new LinkedHashMap<>(Q0.decode(q0));
    fields.putAll(Q1.decode(q1));
    return fields;
  }
}
