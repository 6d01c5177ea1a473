package io.hypercalld.iommu.vtd;

import com.google.errorprone.annotations.Immutable;
import io.hypercalld.core.bits.BitField;

/**
 * How each bit of a register answers software. Immutable.
 *
 * @param writable RW and WO bits: take what is written
 * @param clearedByOne RW1C bits: writing one clears, writing zero does nothing
 * @param sticky bits that survive a reset and end with the power only
 * @param hidden WO bits: kept for the hardware, read as zero
 * @param reset value after a reset
 * @see "VT-d §11.1"
 */
@Immutable
public record BitKinds(long writable, long clearedByOne, long sticky, long hidden, long reset) {
  /** Every bit read-only and zero after reset. */
  public static final BitKinds READ_ONLY = new BitKinds(0, 0, 0, 0, 0);

  static BitKinds readWrite(BitField... fields) {
    return new BitKinds(mask(fields), 0, 0, 0, 0);
  }

  /** Written by software, read as zero. */
  BitKinds andWriteOnly(BitField... fields) {
    return new BitKinds(
        writable | mask(fields), clearedByOne, sticky, hidden | mask(fields), reset);
  }

  BitKinds andWriteOneClears(BitField... fields) {
    return new BitKinds(writable, clearedByOne | mask(fields), sticky, hidden, reset);
  }

  BitKinds andSticky(BitField... fields) {
    return new BitKinds(writable, clearedByOne, sticky | mask(fields), hidden, reset);
  }

  BitKinds andSetAtReset(BitField... fields) {
    return new BitKinds(writable, clearedByOne, sticky, hidden, reset | mask(fields));
  }

  /** The same register on a unit that does not implement {@code bits}: they read as zero. */
  public BitKinds without(long bits) {
    return new BitKinds(
        writable & ~bits, clearedByOne & ~bits, sticky & ~bits, hidden & ~bits, reset & ~bits);
  }

  private static long mask(BitField... fields) {
    long mask = 0;
    for (BitField field : fields) {
      mask |= field.mask();
    }
    return mask;
  }
}
