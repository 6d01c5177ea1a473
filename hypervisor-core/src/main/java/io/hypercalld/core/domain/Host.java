package io.hypercalld.core.domain;

/**
 * What the machine offers to domains. Immutable.
 *
 * @param iommu whether it has remapping units
 * @param snoop whether all of them can snoop
 * @param addressWidth bits of a machine address
 */
public record Host(boolean iommu, boolean snoop, int addressWidth) {
  /** Interrupts of the machine's, from 0 on. */
  public static final int INTERRUPTS = 256;

  /** Ports of the machine's, from 0 on. */
  public static final int PORTS = 0x1_0000;
}
