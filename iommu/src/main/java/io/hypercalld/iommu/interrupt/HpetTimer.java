package io.hypercalld.iommu.interrupt;

import io.hypercalld.iommu.vtd.RemappableMessage;
import java.util.OptionalInt;

/**
 * A comparator of an HPET that sends a message when it expires. Immutable.
 *
 * @param comparator 0 to 31
 * @param index of its interrupt-remapping entry; empty where interrupts are not remapped
 * @param message what it sends
 */
public record HpetTimer(
    HpetSource hpet, int comparator, OptionalInt index, RemappableMessage message)
    implements MachineInterrupt.Source {
  /** The most comparators that an HPET has. */
  public static final int COMPARATORS = 32;
}
