package io.hypercalld.iommu.vtd;

import java.util.Optional;

/**
 * The AW field of a context entry: an adjusted guest address width and the depth of its tables.
 * Immutable.
 *
 * @see "VT-d §9.3"
 */
public enum AddressWidth {
  BITS_30(0, 2),
  BITS_39(1, 3),
  BITS_48(2, 4),
  BITS_57(3, 5),
  BITS_64(4, 6);

  private static final AddressWidth[] BY_ENCODING = values();
  private static final int BITS_PER_LEVEL = 9;
  private static final int PAGE_BITS = 12;

  private final int encoding;
  private final int levels;

  AddressWidth(int encoding, int levels) {
    this.encoding = encoding;
    this.levels = levels;
  }

  /** The width that field AW spells; empty for the reserved encodings. */
  public static Optional<AddressWidth> of(int encoding) {
    return encoding >= 0 && encoding < BY_ENCODING.length
        ? Optional.of(BY_ENCODING[encoding])
        : Optional.empty();
  }

  /** The width whose tables have {@code levels} levels, 2 to 6. */
  public static AddressWidth ofLevels(int levels) {
    return BY_ENCODING[levels - BITS_30.levels];
  }

  /** The value of field AW, which is also the width's bit in CAP.SAGAW. */
  public int encoding() {
    return encoding;
  }

  public int levels() {
    return levels;
  }

  /** Number of input address bits; the six-level width ends at 64. */
  public int bits() {
    return Math.min(Long.SIZE, PAGE_BITS + levels * BITS_PER_LEVEL);
  }
}
