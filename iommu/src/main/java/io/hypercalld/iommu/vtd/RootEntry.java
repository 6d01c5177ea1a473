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
 * One bus's entry of a legacy root table. Immutable.
 *
 * <pre>
 *      63                             12 11                1   0
 *     +---------------------------------+------------------+---+
 * lo  |               CTP               |     reserved     | P |
 *     +---------------------------------+------------------+---+
 * hi  |                      reserved                          |
 *     +--------------------------------------------------------+
 * </pre>
 *
 * @see "VT-d §9.1"
 */
public record RootEntry(long lo, long hi) {
  /** Bytes of one entry. */
  public static final int BYTES = 16;

  public static final BitField P = bit("P", 0);
  public static final BitField CTP = bits("CTP", 63, 12);

  public static final WordLayout LO = WordLayout.covering("root-entry.lo", P, reserved(11, 1), CTP);
  public static final WordLayout HI = WordLayout.covering("root-entry.hi", reserved(63, 0));

  /** The entry of a bus without a context table. */
  public static final RootEntry ABSENT = new RootEntry(0, 0);

  /**
   * The entry that points to a context table.
   *
   * @param table machine address of the table, a multiple of 4 KiB
   */
  public static RootEntry to(long table) {
    return new RootEntry(CTP.of(table >>> CTP.lsb()) | P.of(1), 0);
  }

  /** Offset of the requester's entry in a root table, in bytes. */
  public static int offset(SourceId requester) {
    return requester.bus() * BYTES;
  }

  public boolean isPresent() {
    return P.isSet(lo);
  }

  /** Machine address of the context table. */
  public long contextTable() {
    return CTP.inPlace(lo);
  }

  /** Whether a bit that must be zero is set, address bits beyond the host's width included. */
  public boolean hasReservedBits(int hostAddressWidth) {
    return LO.hasReservedBits(lo)
        || HI.hasReservedBits(hi)
        || contextTable() >>> hostAddressWidth != 0;
  }

  /** Names and values of the fields. */
  public Map<String, Word> decode() {
    return LO.decode(lo);
  }
}
