package io.hypercalld.core.dma;

import io.hypercalld.core.digest.Digestible;
import java.util.List;
import java.util.Optional;

/**
 * What stands behind the DMA API of a kernel in an address mode.
 *
 * @see "Linux include/linux/dma-map-ops.h, struct dma_map_ops"
 */
public interface DmaOperations extends Digestible {
  /** What becomes of a buffer for which there is no bus address. */
  enum Shortage {
    /** The driver does not look: it gets the overflow buffer, or the kernel panics. */
    UNCHECKED,
    /** The driver is refused. */
    REFUSED
  }

  /** Where devices find what was mapped. */
  enum Place {
    /** Where it is. */
    DIRECT,
    /** In the bounce pool. */
    BOUNCED,
    /** In the overflow buffer, where it is not. */
    OVERFLOW,
    /** Where a remapping unit says. */
    REMAPPED
  }

  /**
   * A driver takes a device up.
   *
   * @throws io.hypercalld.core.errno.Refusal as what has to be asked for
   */
  default void attach(DmaDevice device) {}

  /** The kernel is no more. */
  default void close() {}

  /**
   * Buffers at these guest-physical addresses are about to be mapped, one after the other; none,
   * when they are.
   */
  default void expect(List<Long> gpas) {}

  /**
   * Makes a buffer ready for a device.
   *
   * @param gpa guest-physical address of the buffer
   * @param length bytes, at least 1
   * @return the bus address that the driver is to give to the device
   * @throws io.hypercalld.core.errno.Refusal EFAULT where a page of the buffer is not memory;
   *     ENOMEM where there is no bus address for it; EIO where the device cannot name bounce
   *     buffers. Nothing changed
   * @throws KernelPanic where bytes would be lost otherwise
   */
  long map(DmaDevice device, long gpa, int length, DmaDirection direction, Shortage shortage);

  /**
   * The device has done with a buffer, whose bytes are the kernel's again.
   *
   * @param bus what {@link #map} answered
   * @param length as it was mapped
   * @throws io.hypercalld.core.errno.Refusal EINVAL where no such mapping is active; EFAULT where
   *     the buffer is not memory any more. Nothing changed
   */
  void unmap(DmaDevice device, long bus, int length, DmaDirection direction);

  /**
   * Refuses what {@link #unmap} would as not mapped.
   *
   * @throws io.hypercalld.core.errno.Refusal EINVAL
   */
  void requireMapped(DmaDevice device, long bus, int length);

  /**
   * Lets the kernel see, before it is unmapped, what a device wrote; or the device what the kernel
   * wrote.
   *
   * @param bus within what was mapped
   * @param towards {@link DmaDirection#FROM_DEVICE} for the kernel, {@link DmaDirection#TO_DEVICE}
   *     for the device; both otherwise, the device's bytes first
   * @throws io.hypercalld.core.errno.Refusal as {@link #unmap}
   */
  void sync(long bus, int length, DmaDirection towards);

  /** Where devices find what is mapped at a bus address. */
  Place place(long bus);

  /** Whether a device may use the page of a bus address, as somebody mapped it. */
  boolean isMapped(long bus);

  /** Its bounce buffers, where it has any. */
  Optional<SoftwareIotlb> bounces();
}
