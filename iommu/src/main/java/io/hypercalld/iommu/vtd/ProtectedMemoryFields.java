package io.hypercalld.iommu.vtd;

import static io.hypercalld.core.bits.BitField.bit;
import static io.hypercalld.core.bits.BitField.bits;
import static io.hypercalld.core.bits.BitField.reserved;

import io.hypercalld.core.bits.BitField;
import io.hypercalld.core.bits.WordLayout;

/**
 * PMEN and the bases and limits of the two protected regions. Stateless.
 *
 * <p>How many low bits of a base or limit read as zero is the unit's choice, so here they are part
 * of the address.
 *
 * @see "VT-d §11.4.8"
 */
public final class ProtectedMemoryFields {
  /** Enable protected memory. */
  public static final BitField EPM = bit("EPM", 31);

  /** Protected region status. */
  public static final BitField PRS = bit("PRS", 0);

  public static final WordLayout ENABLE =
      WordLayout.covering("PMEN", PRS, reserved(30, 1), EPM, reserved(63, 32));

  public static final BitField LOW = bits("ADDR", 31, 0);
  public static final WordLayout LOW_ADDRESS =
      WordLayout.covering("protected-low", LOW, reserved(63, 32));

  public static final BitField HIGH = bits("ADDR", 63, 0);
  public static final WordLayout HIGH_ADDRESS = WordLayout.covering("protected-high", HIGH);

  private ProtectedMemoryFields() {}
}
