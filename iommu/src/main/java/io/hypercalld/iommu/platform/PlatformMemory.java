package io.hypercalld.iommu.platform;

import io.hypercalld.core.memory.MemoryMap;

/**
 * How much memory a machine has. Immutable.
 *
 * @param bytes in all
 * @param lowTop first byte above the RAM below 4 GiB, where there is that much RAM
 * @param dom0Bytes what dom0 gets of it
 */
public record PlatformMemory(long bytes, long lowTop, long dom0Bytes) {
  /** What a machine has where nobody says otherwise. */
  public static final long DEFAULT_BYTES = 64L << 30;

  /** What dom0 gets where nobody says otherwise. */
  public static final long DEFAULT_DOM0_BYTES = 1L << 30;

  /** The same with {@code total} bytes in all. */
  public PlatformMemory withBytes(long total) {
    return new PlatformMemory(total, lowTop, dom0Bytes);
  }

  /** Machine address after the RAM below 4 GiB. */
  public long lowEnd() {
    return Math.min(bytes, lowTop);
  }

  /** Machine address after all RAM; 4 GiB where none is above. */
  public long end() {
    return MemoryMap.FOUR_GIB + (bytes - lowEnd());
  }
}
