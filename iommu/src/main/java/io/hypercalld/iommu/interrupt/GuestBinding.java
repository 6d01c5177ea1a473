package io.hypercalld.iommu.interrupt;

import java.util.List;
import java.util.OptionalInt;

/**
 * What a domain gets when a machine interrupt of its own arrives: {@code hvm_pirq_dpci}. Immutable.
 *
 * @see "xen/include/asm-x86/hvm/irq.h"
 */
public sealed interface GuestBinding {
  /**
   * A message.
   *
   * @param vcpu the one vCPU that it is for; empty where it may be several or none
   * @param posted whether hardware posts it to the vCPU by itself
   * @param inTable whether the domain sees its entry of the MSI-X table
   */
  record Message(int vector, GuestFlags flags, OptionalInt vcpu, boolean posted, boolean inTable)
      implements GuestBinding {}

  /**
   * Wires.
   *
   * @param translated whether a message asserts them, which is over at once
   */
  record Wires(boolean translated, List<GuestLine> lines) implements GuestBinding {
    public Wires {
      lines = List.copyOf(lines);
    }
  }
}
