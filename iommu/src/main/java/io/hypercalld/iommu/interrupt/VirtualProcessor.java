package io.hypercalld.iommu.interrupt;

import java.util.OptionalLong;

/**
 * Where a vCPU is, as far as interrupts care. Immutable.
 *
 * @param state what it does
 * @param processor on which it runs, or ran last
 * @param descriptor machine address of its posted-interrupt descriptor; empty while it has none
 */
public record VirtualProcessor(State state, int processor, OptionalLong descriptor) {
  /** What a vCPU does. */
  public enum State {
    /** It is in guest mode. */
    RUNNING,
    /** It waits for a processor. */
    RUNNABLE,
    /** It waits for an interrupt. */
    BLOCKED
  }

  VirtualProcessor in(State other) {
    return new VirtualProcessor(other, processor, descriptor);
  }

  VirtualProcessor on(int other) {
    return new VirtualProcessor(state, other, descriptor);
  }

  VirtualProcessor with(long address) {
    return new VirtualProcessor(state, processor, OptionalLong.of(address));
  }
}
