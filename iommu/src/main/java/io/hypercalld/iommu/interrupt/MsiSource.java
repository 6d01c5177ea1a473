package io.hypercalld.iommu.interrupt;

import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.vtd.RemappableMessage;
import java.util.OptionalInt;

/**
 * A message that a function was programmed with: {@code msi_desc}. Immutable.
 *
 * @param sbdf the function
 * @param msiX whether it is an entry of the function's MSI-X table rather than of its MSI
 *     capability
 * @param entry of the table; of a block of messages its place in the block
 * @param block how many messages were enabled together
 * @param index of its interrupt-remapping entry; empty where interrupts are not remapped
 * @param message what the function writes
 * @param masked whether it is kept from writing
 * @param writes how often the function was written to
 */
public record MsiSource(
    Sbdf sbdf,
    boolean msiX,
    int entry,
    int block,
    OptionalInt index,
    RemappableMessage message,
    boolean masked,
    long writes)
    implements MachineInterrupt.Source {
  MsiSource withMasked(boolean mask) {
    return new MsiSource(sbdf, msiX, entry, block, index, message, mask, writes);
  }

  MsiSource withMessage(RemappableMessage written) {
    return new MsiSource(sbdf, msiX, entry, block, index, written, masked, writes + 1);
  }
}
