package io.hypercalld.iommu.vtd;

import static io.hypercalld.core.bits.BitField.bit;
import static io.hypercalld.core.bits.BitField.bits;
import static io.hypercalld.core.bits.BitField.ignored;
import static io.hypercalld.core.bits.BitField.reserved;

import io.hypercalld.core.bits.BitField;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.bits.WordLayout;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A write into the interrupt range as a unit with interrupt remapping reads it. Immutable.
 *
 * <p>The format bit says whether it names an entry of the table; without it the write is one of
 * compatibility format, see {@link InterruptMessage#written}.
 *
 * @see "VT-d §5.1.2.2"
 */
public record RemappableMessage(long address, int data) {
  public static final BitField HANDLE_HIGH = bit("HANDLE[15]", 2);

  /** Subhandle valid. */
  public static final BitField SHV = bit("SHV", 3);

  public static final BitField FORMAT = bit("FORMAT", 4);
  public static final BitField HANDLE_LOW = bits("HANDLE[14:0]", 19, 5);
  public static final BitField WINDOW = bits("FEE", 31, 20);
  public static final WordLayout ADDRESS =
      WordLayout.covering(
          "remappable-address",
          ignored(1, 0),
          HANDLE_HIGH,
          SHV,
          FORMAT,
          HANDLE_LOW,
          WINDOW,
          reserved(63, 32));

  public static final BitField SUBHANDLE = bits("SUBHANDLE", 15, 0);
  public static final WordLayout DATA =
      WordLayout.covering("remappable-data", SUBHANDLE, reserved(63, 16));

  private static final BitField INDEX_LOW = bits("INDEX[14:0]", 14, 0);
  private static final BitField INDEX_HIGH = bit("INDEX[15]", 15);
  private static final long FEE = WINDOW.of(0xfee);

  /**
   * A message that names an entry.
   *
   * @param handle 0 to 65535
   * @param subhandle added to the handle
   */
  public static RemappableMessage of(int handle, int subhandle) {
    return new RemappableMessage(address(handle) | SHV.of(1), (int) SUBHANDLE.of(subhandle));
  }

  /** The address that names entry {@code index}, the data without a meaning. */
  static long address(int index) {
    return FEE
        | FORMAT.of(1)
        | HANDLE_LOW.of(INDEX_LOW.get(index))
        | HANDLE_HIGH.of(INDEX_HIGH.get(index));
  }

  /** Whether the write names an entry at all, rather than being one of compatibility format. */
  public boolean isRemappable() {
    return FORMAT.isSet(address);
  }

  public int handle() {
    return (int) (INDEX_LOW.of(HANDLE_LOW.get(address)) | INDEX_HIGH.of(HANDLE_HIGH.get(address)));
  }

  public boolean hasSubhandle() {
    return SHV.isSet(address);
  }

  /** The entry it names: up to 17 bits, so that a sum beyond the largest table is seen. */
  public int index() {
    return handle() + (hasSubhandle() ? SUBHANDLE.getInt(data) : 0);
  }

  /** Whether data that is added to the handle has bits beyond the subhandle. */
  public boolean hasReservedData() {
    return hasSubhandle() && DATA.hasReservedBits(Integer.toUnsignedLong(data));
  }

  /** Whether the address has bits beyond the 32 of the interrupt range. */
  public boolean hasReservedAddress() {
    return ADDRESS.hasReservedBits(address);
  }

  /** Names and values of the fields of address and data. */
  public Map<String, Word> decode() {
    Map<String, Word> fields = new LinkedHashMap<>(ADDRESS.decode(address));
    fields.putAll(DATA.decode(Integer.toUnsignedLong(data)));
    return fields;
  }
}
