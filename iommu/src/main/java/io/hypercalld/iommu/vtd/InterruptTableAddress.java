package io.hypercalld.iommu.vtd;

import static io.hypercalld.core.bits.BitField.bit;
import static io.hypercalld.core.bits.BitField.bits;
import static io.hypercalld.core.bits.BitField.reserved;

import io.hypercalld.core.bits.BitField;
import io.hypercalld.core.bits.WordLayout;

/**
 * IRTA_REG: where the interrupt-remapping table lies and how large it is. Stateless.
 *
 * @see "VT-d §11.4.10.1"
 */
public final class InterruptTableAddress {
  /** log2 of the number of entries, less one. */
  public static final BitField S = bits("S", 3, 0);

  /** Extended interrupt mode enable: destinations have 32 bits. */
  public static final BitField EIME = bit("EIME", 11);

  public static final BitField IRTA = bits("IRTA", 63, 12);

  public static final WordLayout LAYOUT =
      WordLayout.covering("IRTA", S, reserved(10, 4), EIME, IRTA);

  private InterruptTableAddress() {}

  /**
   * The register's value.
   *
   * @param maddr machine address of the table, a multiple of 4 KiB
   * @param order log2 of the number of entries, 1 to 16
   */
  public static long table(long maddr, int order, boolean extended) {
    return IRTA.of(maddr >>> IRTA.lsb()) | S.of(order - 1) | EIME.of(extended ? 1 : 0);
  }

  /** Machine address of the table. */
  public static long base(long register) {
    return IRTA.inPlace(register);
  }

  /** Number of entries, 2 to 65536. */
  public static int entries(long register) {
    return 2 << S.getInt(register);
  }
}
