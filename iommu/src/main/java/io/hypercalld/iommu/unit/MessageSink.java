package io.hypercalld.iommu.unit;

import io.hypercalld.iommu.vtd.InterruptMessage;

/**
 * Where interrupts go once nothing more will change them: a unit's own, and those of devices that a
 * unit has remapped or let pass.
 */
@FunctionalInterface
public interface MessageSink {
  /** Takes one interrupt; it may come back with stores to the sender's registers. */
  void deliver(InterruptMessage message);
}
