package io.hypercalld.core.dma;

import io.hypercalld.core.p2m.DmaPermission;

/**
 * Which way the bytes of a mapping go, as a driver says.
 *
 * @see "Linux include/linux/dma-direction.h"
 */
public enum DmaDirection {
  BIDIRECTIONAL,
  TO_DEVICE,
  FROM_DEVICE;

  /** Whether the device reads what the kernel wrote. */
  public boolean toDevice() {
    return this != FROM_DEVICE;
  }

  /** Whether the kernel reads what the device wrote. */
  public boolean fromDevice() {
    return this != TO_DEVICE;
  }

  /** What the device does with the buffer. */
  public DmaPermission permission() {
    return DmaPermission.of(toDevice(), fromDevice());
  }
}
