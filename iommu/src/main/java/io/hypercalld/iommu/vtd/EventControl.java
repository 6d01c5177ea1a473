package io.hypercalld.iommu.vtd;

import static io.hypercalld.core.bits.BitField.bit;
import static io.hypercalld.core.bits.BitField.bits;
import static io.hypercalld.core.bits.BitField.reserved;

import io.hypercalld.core.bits.BitField;
import io.hypercalld.core.bits.WordLayout;

/**
 * The four registers of an event that the unit signals by a message, FE*, IE* and PE*. Stateless.
 *
 * @see "VT-d §11.4.7.2"
 */
public final class EventControl {
  /** Interrupt mask. */
  public static final BitField IM = bit("IM", 31);

  /** Interrupt pending. */
  public static final BitField IP = bit("IP", 30);

  public static final WordLayout CONTROL =
      WordLayout.covering("event-control", reserved(29, 0), IP, IM, reserved(63, 32));

  public static final BitField IMD = bits("IMD", 15, 0);
  public static final WordLayout MESSAGE = WordLayout.covering("event-data", IMD, reserved(63, 16));

  public static final BitField MA = bits("MA", 31, 2);
  public static final WordLayout ADDRESS =
      WordLayout.covering("event-address", reserved(1, 0), MA, reserved(63, 32));

  /** Upper half of the message's address; reserved without extended interrupt mode. */
  public static final BitField MUA = bits("MUA", 31, 0);

  public static final WordLayout UPPER_ADDRESS =
      WordLayout.covering("event-upper-address", MUA, reserved(63, 32));

  private EventControl() {}
}
