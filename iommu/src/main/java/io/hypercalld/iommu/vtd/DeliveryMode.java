package io.hypercalld.iommu.vtd;

/**
 * How a processor takes an interrupt, as messages, IOAPIC entries and remapping entries encode it.
 * Immutable.
 *
 * @see "Intel SDM vol. 3 §11.11.2"
 */
public enum DeliveryMode {
  FIXED(0),
  LOWEST_PRIORITY(1),
  SMI(2),
  RESERVED_3(3),
  NMI(4),
  INIT(5),
  RESERVED_6(6),
  EXTINT(7);

  private static final DeliveryMode[] BY_ENCODING = values();

  private final int encoding;

  DeliveryMode(int encoding) {
    this.encoding = encoding;
  }

  /** The mode of a 3-bit encoding. */
  public static DeliveryMode of(int encoding) {
    return BY_ENCODING[encoding];
  }

  public int encoding() {
    return encoding;
  }

  public boolean isReserved() {
    return this == RESERVED_3 || this == RESERVED_6;
  }
}
