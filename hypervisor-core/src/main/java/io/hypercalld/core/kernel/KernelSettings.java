package io.hypercalld.core.kernel;

import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;

/**
 * How a kernel is booted. Immutable.
 *
 * @param slabs of the bounce pool, 2 KiB each, in whole segments of 128: the option {@code
 *     swiotlb=}
 * @param dmaBits how long the pool's machine addresses may be: the option {@code dma_bits=}
 * @param batch whether it asks for all pages of a scatter list by one {@code multicall}
 */
public record KernelSettings(int slabs, int dmaBits, boolean batch) {
  /** Slabs of a segment. */
  public static final int SEGMENT = 128;

  private static final int USUAL_SLABS = 32 << 10;
  private static final int FEW_SLABS = 1 << 10;
  private static final int USUAL_BITS = 32;
  private static final long MUCH_MEMORY = 2L << 30;
  private static final int SLABS_PER_PAGE = 2;

  /** A pool may take so much of the domain's memory: one part of so many. */
  private static final int SHARE = 4;

  /**
   * Checked settings.
   *
   * @throws Refusal EINVAL for other than whole segments, at least one, or other than 13 to 64 bits
   */
  public KernelSettings {
    if (slabs < SEGMENT || slabs % SEGMENT != 0) {
      throw Refusal.of(Errno.EINVAL, "%d slabs are not whole segments of %d", slabs, SEGMENT);
    }
    if (dmaBits < 13 || dmaBits > Long.SIZE) {
      throw Refusal.of(Errno.EINVAL, "no pool has addresses of %d bits", dmaBits);
    }
  }

  /**
   * What a kernel does where nobody says otherwise: 64 MiB, or 2 MiB on a machine of less than 2
   * GiB, as long as that is no more than a quarter of its memory.
   *
   * @param machineBytes of the machine
   * @param ownPages of the domain
   */
  public static KernelSettings usual(long machineBytes, int ownPages) {
    int wanted = machineBytes < MUCH_MEMORY ? FEW_SLABS : USUAL_SLABS;
    int affordable = ownPages / SHARE * SLABS_PER_PAGE / SEGMENT * SEGMENT;
    return new KernelSettings(Math.max(SEGMENT, Math.min(wanted, affordable)), USUAL_BITS, false);
  }
}
