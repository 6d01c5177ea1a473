package io.hypercalld.core.interrupt;

import static io.hypercalld.core.bits.BitField.bit;
import static io.hypercalld.core.bits.BitField.bits;

import io.hypercalld.core.bits.BitField;
import java.util.Optional;

/**
 * What software stores to the interrupt command register of its local APIC: an interrupt to other
 * processors. Immutable.
 *
 * @see "Intel SDM vol. 3 §10.6.1, §10.12.9"
 */
public record InterruptCommand(long value) {
  private static final BitField VECTOR = bits("vector", 7, 0);
  private static final BitField DELIVERY_MODE = bits("delivery-mode", 10, 8);
  private static final BitField DESTINATION_MODE = bit("destination-mode", 11);
  private static final BitField LEVEL = bit("level", 14);
  private static final BitField TRIGGER_MODE = bit("trigger-mode", 15);
  private static final BitField SHORTHAND = bits("shorthand", 19, 18);
  private static final BitField XAPIC_DESTINATION = bits("destination", 63, 56);
  private static final BitField X2APIC_DESTINATION = bits("destination", 63, 32);

  /** Whom it is for. */
  public enum Shorthand {
    /** The processors of its destination. */
    NONE,
    SELF,
    ALL,
    OTHERS
  }

  /**
   * To one processor, edge triggered.
   *
   * @param sender mode of the APIC that it is stored to, which says how much of the id fits
   */
  public static InterruptCommand to(int apicId, DeliveryMode delivery, LocalApic.Mode sender) {
    BitField field = destination(sender);
    return new InterruptCommand(
        DELIVERY_MODE.of(delivery.encoding())
            | LEVEL.of(1)
            | field.inPlace(Integer.toUnsignedLong(apicId) << field.lsb()));
  }

  public Shorthand shorthand() {
    return Shorthand.values()[SHORTHAND.getInt(value)];
  }

  /**
   * What it sends; empty where the delivery mode is no other processor's, or a level is over.
   *
   * @param sender mode of the APIC that it is stored to
   */
  public Optional<Interrupt> interrupt(LocalApic.Mode sender) {
    boolean over = TRIGGER_MODE.isSet(value) && !LEVEL.isSet(value);
    return DeliveryMode.ofCommand(DELIVERY_MODE.getInt(value))
        .filter(delivery -> !over && delivery != DeliveryMode.EXTINT)
        .map(
            delivery ->
                new Interrupt(
                    VECTOR.getInt(value),
                    delivery,
                    DESTINATION_MODE.isSet(value),
                    false,
                    (int) destination(sender).get(value),
                    false));
  }

  private static BitField destination(LocalApic.Mode sender) {
    return sender == LocalApic.Mode.X2APIC ? X2APIC_DESTINATION : XAPIC_DESTINATION;
  }
}
