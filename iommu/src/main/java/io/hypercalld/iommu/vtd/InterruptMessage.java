package io.hypercalld.iommu.vtd;

import static io.hypercalld.core.bits.BitField.bit;
import static io.hypercalld.core.bits.BitField.bits;
import static io.hypercalld.core.bits.BitField.ignored;

import io.hypercalld.core.bits.BitField;
import io.hypercalld.core.bits.WordLayout;
import io.hypercalld.core.interrupt.DeliveryMode;
import io.hypercalld.core.interrupt.Interrupt;
import java.util.Optional;

/**
 * An interrupt on its way to local APICs, whatever it was made from. Immutable.
 *
 * @param vector 0 to 255
 * @param mode 3 bits as {@link DeliveryMode#encoding} gives them; 3 and 6 are reserved
 * @param logical whether the destination is a logical id rather than an APIC id
 * @param destination 8 bits of an xAPIC, 32 of an x2APIC
 * @param redirectable RH: any one processor of the destination may take it
 * @param levelTriggered rather than edge
 * @param asserted the level; edges have none and are always asserted
 * @see "Intel SDM vol. 3 §11.11"
 */
public record InterruptMessage(
    int vector,
    int mode,
    boolean logical,
    int destination,
    boolean redirectable,
    boolean levelTriggered,
    boolean asserted) {
  private static final BitField DM = bit("DM", 2);
  private static final BitField RH = bit("RH", 3);
  private static final BitField DESTINATION = bits("DESTINATION", 19, 12);
  private static final BitField WINDOW = bits("FEE", 31, 20);

  /** Bits 31:8 of an x2APIC's id, which only a unit's own messages carry. */
  private static final BitField EXTENDED = bits("EXTENDED_DESTINATION", 63, 40);

  private static final BitField VECTOR = bits("VECTOR", 7, 0);
  private static final BitField MODE = bits("DLM", 10, 8);
  private static final BitField LEVEL = bit("LEVEL", 14);
  private static final BitField TRIGGER = bit("TM", 15);

  /** The address of a message in compatibility format. */
  public static final WordLayout ADDRESS =
      WordLayout.covering(
          "message-address",
          ignored(1, 0),
          DM,
          RH,
          ignored(11, 4),
          DESTINATION,
          WINDOW,
          ignored(39, 32),
          EXTENDED);

  /** The data of a message in compatibility format. */
  public static final WordLayout DATA =
      WordLayout.covering(
          "message-data", VECTOR, MODE, ignored(13, 11), LEVEL, TRIGGER, ignored(63, 16));

  private static final int EXTENDED_SHIFT = 32;

  /** A fixed, physical edge interrupt. */
  public static InterruptMessage fixed(int vector, int destination) {
    return fixed(vector, destination, false);
  }

  /** A fixed, physical interrupt. */
  public static InterruptMessage fixed(int vector, int destination, boolean levelTriggered) {
    return new InterruptMessage(
        vector, DeliveryMode.FIXED.encoding(), false, destination, false, levelTriggered, true);
  }

  /** The interrupt that a write means which nothing remaps. */
  public static InterruptMessage written(long address, int data) {
    boolean level = TRIGGER.isSet(data);
    return new InterruptMessage(
        VECTOR.getInt(data),
        MODE.getInt(data),
        DM.isSet(address),
        DESTINATION.getInt(address) | (int) (EXTENDED.inPlace(address) >>> EXTENDED_SHIFT),
        RH.isSet(address),
        level,
        !level || LEVEL.isSet(data));
  }

  /**
   * What processors take it for; empty where nobody takes it: its mode is reserved, or it says that
   * a level is over.
   */
  public Optional<Interrupt> interrupt() {
    return DeliveryMode.of(mode)
        .filter(_ -> asserted)
        .map(
            delivery ->
                new Interrupt(
                    vector, delivery, logical, redirectable, destination, levelTriggered));
  }
}
