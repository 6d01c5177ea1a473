package io.hypercalld.iommu.vtd;

/**
 * How a processor takes an interrupt, as messages, IOAPIC entries and remapping entries encode it.
 * Immutable.
 *
 * @see "Intel SDM vol. 3 §11.11.2"
 */
public enum DeliveryMode {
  FIXED,
  LOWEST_PRIORITY,
  SMI,
  RESERVED_3,
  NMI,
  INIT,
  RESERVED_6,
  EXTINT;

  private static final DeliveryMode[] BY_ENCODING = values();

  /** The mode of a 3-bit encoding. */
  public static DeliveryMode of(int encoding) {
    return BY_ENCODING[encoding];
  }

  public int encoding() {
    return ordinal();
  }

  public boolean isReserved() {
    return this == RESERVED_3 || this == RESERVED_6;
  }
}
