package io.hypercalld.iommu.interrupt;

import io.hypercalld.core.bits.Word;
import io.hypercalld.iommu.vtd.RemappableMessage;
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
   * @param address as the domain wrote it
   * @param vcpu the one vCPU that it is for; empty where it may be several or none
   * @param posted whether hardware posts it to the vCPU by itself
   * @param inTable whether the domain sees its entry of the MSI-X table
   */
  record Message(Word address, int data, OptionalInt vcpu, boolean posted, boolean inTable)
      implements GuestBinding {
    /** Bound and nothing derived yet. */
    static Message of(GuestMessage wanted, boolean inTable) {
      return new Message(wanted.address(), wanted.data(), OptionalInt.empty(), false, inTable);
    }

    /** The same for other vCPUs. */
    Message to(OptionalInt target, boolean byHardware) {
      return new Message(address, data, target, byHardware, inTable);
    }

    /** As a unit of the domain's own reads it. */
    RemappableMessage asWritten() {
      return new RemappableMessage(address.value(), data);
    }
  }

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
