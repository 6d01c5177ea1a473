package io.hypercalld.iommu.unit;

/** Where interrupt messages go that nothing remaps: a unit's own, and devices' with IR off. */
@FunctionalInterface
public interface MessageSink {
  /**
   * Takes one message.
   *
   * @param address the address written to: {@code 0xfee.....} in the low half
   * @param data the 32 bits written
   */
  void deliver(long address, int data);
}
