package io.hypercalld.iommu.vtd;

import static io.hypercalld.core.bits.BitField.bit;
import static io.hypercalld.core.bits.BitField.bits;
import static io.hypercalld.core.bits.BitField.reserved;

import io.hypercalld.core.bits.BitField;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.bits.WordLayout;
import java.util.Map;

/**
 * One redirection table entry of an IOAPIC, in either of its formats. Immutable.
 *
 * <p>Remappable: names an entry of the interrupt-remapping table and repeats its vector and trigger
 * mode, by which an EOI finds its way back. Compatibility: says itself where the interrupt goes.
 *
 * @see "VT-d §5.1.2.1"
 */
public record IoApicEntry(long value) {
  public static final BitField VECTOR = bits("VECTOR", 7, 0);
  public static final BitField INDEX_HIGH = bit("INDEX[15]", 11);
  public static final BitField DS = bit("DS", 12);
  public static final BitField POLARITY = bit("POLARITY", 13);
  public static final BitField RIRR = bit("rIRR", 14);
  public static final BitField TRIGGER = bit("TM", 15);
  public static final BitField MASK = bit("MASK", 16);
  public static final BitField FORMAT = bit("FORMAT", 48);
  public static final BitField INDEX_LOW = bits("INDEX[14:0]", 63, 49);
  public static final WordLayout REMAPPABLE =
      WordLayout.covering(
          "remappable-rte",
          VECTOR,
          reserved(10, 8),
          INDEX_HIGH,
          DS,
          POLARITY,
          RIRR,
          TRIGGER,
          MASK,
          reserved(47, 17),
          FORMAT,
          INDEX_LOW);

  public static final BitField DLM = bits("DLM", 10, 8);
  public static final BitField DM = bit("DM", 11);
  public static final BitField DESTINATION = bits("DESTINATION", 63, 56);
  public static final WordLayout COMPATIBILITY =
      WordLayout.covering(
          "compatibility-rte",
          VECTOR,
          DLM,
          DM,
          DS,
          POLARITY,
          RIRR,
          TRIGGER,
          MASK,
          reserved(47, 17),
          FORMAT,
          reserved(55, 49),
          DESTINATION);

  private static final BitField LOW_BITS = bits("INDEX[14:0]", 14, 0);
  private static final BitField HIGH_BIT = bit("INDEX[15]", 15);
  private static final long WINDOW = RemappableMessage.WINDOW.of(0xfee);
  private static final BitField MESSAGE_DM = bit("DM", 2);
  private static final BitField MESSAGE_DESTINATION = bits("DESTINATION", 19, 12);
  private static final BitField MESSAGE_DLM = bits("DLM", 10, 8);
  private static final BitField MESSAGE_LEVEL = bit("LEVEL", 14);
  private static final BitField MESSAGE_TRIGGER = bit("TM", 15);

  /**
   * An unmasked entry, active high, that names an entry of the interrupt-remapping table.
   *
   * @param index 0 to 65535
   * @param vector the vector of that entry
   */
  public static IoApicEntry remappable(int index, int vector, boolean levelTriggered) {
    return new IoApicEntry(
        FORMAT.of(1)
            | INDEX_LOW.of(LOW_BITS.get(index))
            | INDEX_HIGH.of(HIGH_BIT.get(index))
            | TRIGGER.of(levelTriggered ? 1 : 0)
            | VECTOR.of(vector));
  }

  /** An unmasked entry, active high, that goes to processors by itself. */
  public static IoApicEntry compatibility(InterruptMessage message) {
    return new IoApicEntry(
        VECTOR.of(message.vector())
            | DLM.of(message.mode())
            | DM.of(message.logical() ? 1 : 0)
            | TRIGGER.of(message.levelTriggered() ? 1 : 0)
            | DESTINATION.of(message.destination()));
  }

  /** The same entry, its pin masked or not. */
  public IoApicEntry masked(boolean masked) {
    return new IoApicEntry(MASK.put(value, masked ? 1 : 0));
  }

  public boolean isRemappable() {
    return FORMAT.isSet(value);
  }

  public boolean isMasked() {
    return MASK.isSet(value);
  }

  public boolean isLevelTriggered() {
    return TRIGGER.isSet(value);
  }

  public int vector() {
    return VECTOR.getInt(value);
  }

  /** The entry of the interrupt-remapping table that it names. */
  public int index() {
    return (int) (LOW_BITS.of(INDEX_LOW.get(value)) | HIGH_BIT.of(INDEX_HIGH.get(value)));
  }

  /** The write that the IOAPIC makes when the pin asks for an interrupt. */
  public RemappableMessage message() {
    return isRemappable()
        ? new RemappableMessage(RemappableMessage.address(index()), data(0))
        : new RemappableMessage(
            WINDOW | MESSAGE_DESTINATION.of(DESTINATION.get(value)) | MESSAGE_DM.of(DM.get(value)),
            data(DLM.get(value)));
  }

  private int data(long mode) {
    return (int)
        (vector()
            | MESSAGE_DLM.of(mode)
            | MESSAGE_LEVEL.of(1)
            | MESSAGE_TRIGGER.of(TRIGGER.get(value)));
  }

  /** Names and values of the fields, by the entry's format. */
  public Map<String, Word> decode() {
    return (isRemappable() ? REMAPPABLE : COMPATIBILITY).decode(value);
  }
}
