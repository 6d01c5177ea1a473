package io.hypercalld.iommu.vtd;

import static io.hypercalld.core.bits.BitField.bit;
import static io.hypercalld.core.bits.BitField.bits;
import static io.hypercalld.core.bits.BitField.reserved;

import io.hypercalld.core.bits.BitField;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.bits.WordLayout;
import io.hypercalld.iommu.pci.SourceId;
import java.util.Map;

/**
 * One half of a bus's entry of a scalable-mode root table: the lower for devices 0 to 15 of the
 * bus, the upper for devices 16 to 31. Immutable.
 *
 * <pre>
 *  63                             12 11                1   0
 * +---------------------------------+------------------+---+
 * |            LCTP, UCTP           |     reserved     | P |
 * +---------------------------------+------------------+---+
 * </pre>
 *
 * @see "VT-d §9.2"
 */
public record ScalableRootEntry(long word) {
  /** Bytes of one half. */
  public static final int BYTES = 8;

  public static final BitField P = bit("P", 0);
  public static final BitField CTP = bits("CTP", 63, 12);

  public static final WordLayout LAYOUT =
      WordLayout.covering("scalable-root-entry", P, reserved(11, 1), CTP);

  private static final int HALVES = 2;
  private static final int HALF_SHIFT = 7;

  /**
   * The half that points to a context table.
   *
   * @param table machine address of the table, a multiple of 4 KiB
   */
  public static ScalableRootEntry to(long table) {
    return new ScalableRootEntry(CTP.of(table >>> CTP.lsb()) | P.of(1));
  }

  /** Offset of the requester's half in a root table, in bytes. */
  public static int offset(SourceId requester) {
    return (requester.bus() * HALVES + (requester.devfn() >>> HALF_SHIFT)) * BYTES;
  }

  public boolean isPresent() {
    return P.isSet(word);
  }

  /** Machine address of the context table. */
  public long contextTable() {
    return CTP.inPlace(word);
  }

  /** Whether a bit that must be zero is set, address bits beyond the host's width included. */
  public boolean hasReservedBits(int hostAddressWidth) {
    return LAYOUT.hasReservedBits(word) || contextTable() >>> hostAddressWidth != 0;
  }

  /** Names and values of the fields. */
  public Map<String, Word> decode() {
    return LAYOUT.decode(word);
  }
}
