package io.hypercalld.iommu.vtd;

import static io.hypercalld.core.bits.BitField.bits;
import static io.hypercalld.core.bits.BitField.reserved;

import io.hypercalld.core.bits.BitField;
import io.hypercalld.core.bits.WordLayout;

/**
 * RTADDR_REG. Stateless.
 *
 * @see "VT-d §11.4.5"
 */
public final class RootTableAddress {
  public static final BitField RTA = bits("RTA", 63, 12);
  public static final BitField TTM = bits("TTM", 11, 10);

  public static final WordLayout LAYOUT = WordLayout.covering("RTADDR", RTA, TTM, reserved(9, 0));

  /** The values of {@link #TTM}, in the order of their encodings. */
  public enum Mode {
    LEGACY,
    SCALABLE,
    RESERVED,
    ABORT;

    private static final Mode[] BY_ENCODING = values();
  }

  private static final int SCALABLE = 1;

  private RootTableAddress() {}

  /** The register's value for a legacy root table at {@code maddr}, a multiple of 4 KiB. */
  public static long legacy(long maddr) {
    return RTA.of(maddr >>> RTA.lsb());
  }

  /** The same for a root table of scalable mode. */
  public static long scalable(long maddr) {
    return legacy(maddr) | TTM.of(SCALABLE);
  }

  /** Machine address of the table. */
  public static long table(long register) {
    return RTA.inPlace(register);
  }

  public static Mode mode(long register) {
    return Mode.BY_ENCODING[TTM.getInt(register)];
  }
}
