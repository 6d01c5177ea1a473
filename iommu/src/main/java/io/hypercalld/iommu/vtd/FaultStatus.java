package io.hypercalld.iommu.vtd;

import static io.hypercalld.core.bits.BitField.bit;
import static io.hypercalld.core.bits.BitField.bits;
import static io.hypercalld.core.bits.BitField.reserved;

import io.hypercalld.core.bits.BitField;
import io.hypercalld.core.bits.WordLayout;

/**
 * FSTS_REG. Stateless.
 *
 * @see "VT-d §11.4.7.1"
 */
public final class FaultStatus {
  /** Primary fault overflow. */
  public static final BitField PFO = bit("PFO", 0);

  /** Primary pending fault: some fault record has its F bit set. */
  public static final BitField PPF = bit("PPF", 1);

  public static final BitField AFO = bit("AFO", 2);
  public static final BitField APF = bit("APF", 3);

  /** Invalidation queue error. */
  public static final BitField IQE = bit("IQE", 4);

  /** Invalidation completion error: a device answered with a malformed completion. */
  public static final BitField ICE = bit("ICE", 5);

  /** Invalidation time-out error: a device did not answer. */
  public static final BitField ITE = bit("ITE", 6);

  /** Page request overflow, in old revisions. */
  public static final BitField PRO = bit("PRO", 7);

  /** Index of the record that set PPF. */
  public static final BitField FRI = bits("FRI", 15, 8);

  public static final WordLayout LAYOUT =
      WordLayout.covering("FSTS", PFO, PPF, AFO, APF, IQE, ICE, ITE, PRO, FRI, reserved(63, 16));

  /** The conditions that raise the fault event. */
  public static final long CONDITIONS =
      PFO.mask() | PPF.mask() | AFO.mask() | APF.mask() | IQE.mask() | ICE.mask() | ITE.mask();

  private FaultStatus() {}
}
