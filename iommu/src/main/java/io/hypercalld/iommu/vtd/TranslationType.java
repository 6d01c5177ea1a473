package io.hypercalld.iommu.vtd;

/**
 * Field TT of a context entry. Immutable.
 *
 * @see "VT-d §9.3"
 */
public enum TranslationType {
  /** Untranslated requests go through second-stage tables; ATS is blocked. */
  SECOND_STAGE(0),

  /** The same, and the device may use ATS. */
  SECOND_STAGE_WITH_DEVICE_TLB(1),

  /** Untranslated requests pass unchanged; ATS is blocked. */
  PASS_THROUGH(2),
  RESERVED(3);

  private static final TranslationType[] BY_ENCODING = values();

  private final int encoding;

  TranslationType(int encoding) {
    this.encoding = encoding;
  }

  static TranslationType of(int encoding) {
    return BY_ENCODING[encoding];
  }

  public int encoding() {
    return encoding;
  }
}
