package io.hypercalld.core.interrupt;

import io.hypercalld.core.bits.BitField;
import java.util.Optional;

/**
 * An interrupt on its way to processors. Immutable.
 *
 * @param vector 0 to 255; meaningless to NMI, SMI, INIT and ExtINT; of a start-up the page at which
 *     the processor starts
 * @param logical whether {@code destination} is matched against logical ids
 * @param redirectionHint whether one of several destinations will do
 * @param destination an APIC id, or a logical one; 8 bits in a message, 32 after remapping
 * @param level whether it is level triggered
 * @see "Intel SDM vol. 3 §10.11"
 */
public record Interrupt(
    int vector,
    DeliveryMode delivery,
    boolean logical,
    boolean redirectionHint,
    int destination,
    boolean level) {
  private static final BitField RH = BitField.bit("RH", 3);
  private static final BitField DM = BitField.bit("DM", 2);
  private static final BitField VECTOR = BitField.bits("vector", 7, 0);
  private static final BitField DELIVERY = BitField.bits("delivery", 10, 8);
  private static final BitField TRIGGER = BitField.bit("trigger", 15);
  private static final int VECTORS = 256;

  public Interrupt {
    if (vector < 0 || vector >= VECTORS) {
      throw new IllegalArgumentException("there is no vector " + vector);
    }
  }

  /** Fixed and edge triggered, to the processor with APIC id 0. */
  public static Interrupt fixed(int vector) {
    return new Interrupt(vector, DeliveryMode.FIXED, false, false, 0, false);
  }

  /**
   * What a message in compatibility format means; empty where its delivery mode is reserved.
   *
   * @param address {@code 0xfee.....}; bits 63:32 and 4 are not looked at
   */
  public static Optional<Interrupt> ofMessage(long address, int data, DestinationFormat format) {
    return DeliveryMode.of(DELIVERY.getInt(data))
        .map(
            delivery ->
                new Interrupt(
                    VECTOR.getInt(data),
                    delivery,
                    DM.isSet(address),
                    RH.isSet(address),
                    format.ofAddress(address),
                    TRIGGER.isSet(data)));
  }

  /** Whether it has a vector that ends up in IRR. */
  public boolean hasVector() {
    return delivery == DeliveryMode.FIXED || delivery == DeliveryMode.LOWEST_PRIORITY;
  }

  /** Whether only one of the processors that it is meant for is to take it. */
  public boolean isArbitrated() {
    return delivery == DeliveryMode.LOWEST_PRIORITY;
  }

  /** The same for one processor, whose APIC id is known. */
  public Interrupt to(int apicId) {
    return new Interrupt(vector, delivery, false, false, apicId, level);
  }
}
