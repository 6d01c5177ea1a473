package io.hypercalld.iommu.interrupt;

import io.hypercalld.iommu.pci.Sbdf;

/**
 * Messages of a function that a domain is to have. Immutable.
 *
 * @param sbdf the function
 * @param irq of the machine; -1 for a new one
 * @param pirq number that the domain wants; negative for any
 * @param msiX whether it is an entry of the MSI-X table
 * @param entry of the table
 * @param block messages that are wanted together
 */
public record MessageRequest(Sbdf sbdf, int irq, int pirq, boolean msiX, int entry, int block) {
  /** What came of it: the number of the first in the domain, and how many there are. */
  public record Mapped(int pirq, int block) {}

  MessageRequest withBlock(int size) {
    return new MessageRequest(sbdf, irq, pirq, msiX, entry, size);
  }
}
