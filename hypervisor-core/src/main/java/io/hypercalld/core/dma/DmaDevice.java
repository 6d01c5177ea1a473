package io.hypercalld.core.dma;

/**
 * A device as its driver describes it to the kernel. Immutable.
 *
 * @param name as the kernel's messages have it, such as 0000:03:00.0
 * @param maskBits bits of a bus address that the device can send, from 1 to 64
 */
public record DmaDevice(String name, int maskBits) {
  /** Whether the device can send all addresses of a range. */
  boolean reaches(long bus, int length) {
    return bus + length <= end();
  }

  /** First address that the device cannot send; the last of all where it can send any. */
  long end() {
    return maskBits >= Long.SIZE - 1 ? Long.MAX_VALUE : 1L << maskBits;
  }
}
