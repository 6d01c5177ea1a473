package io.hypercalld.iommu.interrupt;

import static io.hypercalld.core.bits.BitField.bit;
import static io.hypercalld.core.bits.BitField.bits;

import io.hypercalld.core.bits.BitField;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.interrupt.DestinationFormat;

/**
 * What {@code gflags} of {@code bind_pt_irq} keep of a message. Immutable.
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

  private static final long WINDOW = 0xfee0_0000L;
  private static final BitField ADDRESS_DM = bit("DM", 2);
  private static final BitField ADDRESS_RH = bit("RH", 3);
  private static final BitField DATA_DELIVERY = bits("delivery", 10, 8);
  private static final BitField DATA_TRIGGER = bit("trigger", 15);

  /** Whether the function may send it from now on. */
  public boolean isUnmasked() {
    return UNMASKED.isSet(value);
  }

  /** The address that the guest wrote, as far as it is kept. */
  public Word address() {
    return new Word(
        WINDOW
            | DestinationFormat.PLAIN.inAddress(DESTINATION.getInt(value))
            | ADDRESS_DM.of(DM.get(value))
            | ADDRESS_RH.of(RH.get(value)));
  }

  /** The data that the guest wrote, as far as they are kept. */
  public int data(int vector) {
    return vector
        | (int) (DATA_DELIVERY.of(DELIVERY.get(value)) | DATA_TRIGGER.of(TRIGGER.get(value)));
  }
}
