package io.hypercalld.iommu.vtd;

import static io.hypercalld.core.bits.BitField.bit;
import static io.hypercalld.core.bits.BitField.reserved;

import io.hypercalld.core.bits.BitField;
import io.hypercalld.core.bits.WordLayout;

/**
 * GCMD_REG and GSTS_REG, which have the same bits. Stateless.
 *
 * <p>Persistent bits follow what is written; one-shot bits start a command when written as one and
 * mean nothing when written as zero.
 *
 * @see "VT-d §11.4.4"
 */
public final class GlobalCommand {
  /** Translation enable; persistent. */
  public static final BitField TE = bit("TE", 31);

  /** Set root table pointer; one-shot. */
  public static final BitField SRTP = bit("SRTP", 30);

  /** Set fault log; one-shot. */
  public static final BitField SFL = bit("SFL", 29);

  /** Enable advanced fault logging; persistent. */
  public static final BitField EAFL = bit("EAFL", 28);

  /** Write buffer flush; one-shot. */
  public static final BitField WBF = bit("WBF", 27);

  /** Queued invalidation enable; persistent. */
  public static final BitField QIE = bit("QIE", 26);

  /** Interrupt remapping enable; persistent. */
  public static final BitField IRE = bit("IRE", 25);

  /** Set interrupt remap table pointer; one-shot. */
  public static final BitField SIRTP = bit("SIRTP", 24);

  /** Compatibility format interrupts; persistent. */
  public static final BitField CFI = bit("CFI", 23);

  public static final WordLayout LAYOUT =
      WordLayout.covering(
          "GCMD",
          reserved(63, 32),
          TE,
          SRTP,
          SFL,
          EAFL,
          WBF,
          QIE,
          IRE,
          SIRTP,
          CFI,
          reserved(22, 0));

  /** The bits that software masks out of GSTS before it writes the value back to GCMD. */
  public static final int ONE_SHOT = (int) (SRTP.mask() | SFL.mask() | WBF.mask() | SIRTP.mask());

  private GlobalCommand() {}
}
