package io.hypercalld.iommu.interrupt;

import io.hypercalld.iommu.vtd.IoApicEntry;
import java.util.OptionalInt;

/**
 * A pin of one of the machine's I/O APICs. Immutable.
 *
 * @param ioApic its place among them
 * @param pin 0 to 23
 * @param index of its interrupt-remapping entry; empty before it was used, and where interrupts are
 *     not remapped
 * @param entry what its redirection entry holds
 */
public record IoApicPin(int ioApic, int pin, OptionalInt index, IoApicEntry entry)
    implements MachineInterrupt.Source {
  /** Pins of each I/O APIC. */
  public static final int PINS = 24;
}
