package io.hypercalld.iommu.vtd;

import static io.hypercalld.core.bits.BitField.bit;
import static io.hypercalld.core.bits.BitField.bits;
import static io.hypercalld.core.bits.BitField.reserved;

import io.hypercalld.core.bits.BitField;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.bits.WordLayout;
import java.util.Map;

/**
 * An entry of a PASID directory, which leads to the table of 64 PASIDs. Immutable.
 *
 * <pre>
 *  63                             12 11          2   1    0
 * +---------------------------------+-------------+-----+---+
 * |             SMPTBLPTR           |  reserved   | FPD | P |
 * +---------------------------------+-------------+-----+---+
 * </pre>
 *
 * @see "VT-d §9.5"
 */
public record PasidDirectoryEntry(long word) {
  /** Bytes of one entry. */
  public static final int BYTES = 8;

  public static final BitField P = bit("P", 0);
  public static final BitField FPD = bit("FPD", 1);
  public static final BitField SMPTBLPTR = bits("SMPTBLPTR", 63, 12);

  public static final WordLayout LAYOUT =
      WordLayout.covering("pasid-directory-entry", P, FPD, reserved(11, 2), SMPTBLPTR);

  private static final int PASID_SHIFT = 6;

  /**
   * The entry that points to a PASID table.
   *
   * @param table machine address of the table, a multiple of 4 KiB
   */
  public static PasidDirectoryEntry to(long table) {
    return new PasidDirectoryEntry(SMPTBLPTR.of(table >>> SMPTBLPTR.lsb()) | P.of(1));
  }

  /** Offset of the PASID's entry in its directory, in bytes. */
  public static int offset(int pasid) {
    return (pasid >>> PASID_SHIFT) * BYTES;
  }

  public boolean isPresent() {
    return P.isSet(word);
  }

  /** Whether qualified faults go unrecorded; honoured in absent entries too. */
  public boolean disablesFaultProcessing() {
    return FPD.isSet(word);
  }

  /** Machine address of the PASID table. */
  public long table() {
    return SMPTBLPTR.inPlace(word);
  }

  /** Whether a bit that must be zero is set, address bits beyond the host's width included. */
  public boolean hasReservedBits(int hostAddressWidth) {
    return LAYOUT.hasReservedBits(word) || table() >>> hostAddressWidth != 0;
  }

  /** Names and values of the fields. */
  public Map<String, Word> decode() {
    return LAYOUT.decode(word);
  }
}
