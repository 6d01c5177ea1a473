package io.hypercalld.iommu.interrupt;

import static io.hypercalld.core.bits.BitField.bit;
import static io.hypercalld.core.bits.BitField.bits;

import io.hypercalld.core.bits.BitField;
import io.hypercalld.core.interrupt.DeliveryMode;
import io.hypercalld.core.interrupt.Interrupt;
import java.util.Optional;

/**
 * How a domain wants a message delivered: {@code gflags} of {@code bind_pt_irq}. Immutable.
 *
 * @see "xen/include/public/domctl.h, XEN_DOMCTL_VMSI_X86_*"
 */
public record GuestFlags(long value) {
  private static final BitField DESTINATION = bits("dest", 7, 0);
  private static final BitField RH = bit("RH", 8);
  private static final BitField DM = bit("DM", 9);
  private static final BitField DELIVERY = bits("delivery", 14, 12);
  private static final BitField TRIGGER = bit("trigger", 15);
  private static final BitField UNMASKED = bit("unmasked", 16);

  /** Whether the function may send it from now on. */
  public boolean isUnmasked() {
    return UNMASKED.isSet(value);
  }

  GuestFlags withoutUnmasked() {
    return new GuestFlags(UNMASKED.clear(value));
  }

  /** What arrives; empty where the delivery mode is reserved. */
  public Optional<Interrupt> interrupt(int vector) {
    return DeliveryMode.of(DELIVERY.getInt(value))
        .map(
            delivery ->
                new Interrupt(
                    vector,
                    delivery,
                    DM.isSet(value),
                    RH.isSet(value),
                    DESTINATION.getInt(value),
                    TRIGGER.isSet(value)));
  }
}
