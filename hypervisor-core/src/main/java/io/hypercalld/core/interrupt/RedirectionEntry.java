package io.hypercalld.core.interrupt;

import static io.hypercalld.core.bits.BitField.bit;
import static io.hypercalld.core.bits.BitField.bits;

import io.hypercalld.core.bits.BitField;
import java.util.Optional;

/**
 * A redirection table entry of an I/O APIC, in compatibility format. Immutable.
 *
 * @see "82093AA §3.2.4; xen/include/public/arch-x86/hvm/save.h, union vioapic_redir_entry"
 */
public record RedirectionEntry(long value) {
  public static final BitField VECTOR = bits("vector", 7, 0);
  public static final BitField DELIVERY_MODE = bits("delivery-mode", 10, 8);
  public static final BitField DESTINATION_MODE = bit("destination-mode", 11);
  public static final BitField POLARITY = bit("polarity", 13);
  public static final BitField REMOTE_IRR = bit("remote-irr", 14);
  public static final BitField TRIGGER_MODE = bit("trigger-mode", 15);
  public static final BitField MASK = bit("mask", 16);

  /** As after power-on. */
  public static final RedirectionEntry MASKED = new RedirectionEntry(MASK.mask());

  public boolean isMasked() {
    return MASK.isSet(value);
  }

  public boolean isLevel() {
    return TRIGGER_MODE.isSet(value);
  }

  /** Whether a level triggered interrupt was sent and not ended yet. */
  public boolean isInService() {
    return REMOTE_IRR.isSet(value);
  }

  public int vector() {
    return VECTOR.getInt(value);
  }

  RedirectionEntry withInService(boolean inService) {
    return new RedirectionEntry(REMOTE_IRR.put(value, inService ? 1 : 0));
  }

  /** What it sends; empty where the delivery mode is reserved. */
  public Optional<Interrupt> interrupt(DestinationFormat format) {
    return DeliveryMode.of(DELIVERY_MODE.getInt(value))
        .map(
            delivery ->
                new Interrupt(
                    vector(),
                    delivery,
                    DESTINATION_MODE.isSet(value),
                    false,
                    format.ofEntry(value),
                    isLevel()));
  }
}
