package io.hypercalld.iommu.vtd;

/** How much an invalidation removes, as CIRG, CAIG, IIRG, IAIG and G encode it. Immutable. */
public enum InvalidationGranularity {
  /** A reserved request; as an answer, that nothing was done. */
  NONE(0),
  GLOBAL(1),
  DOMAIN(2),

  /** One device's context entries, or the pages of a range. */
  SELECTIVE(3);

  private static final InvalidationGranularity[] BY_ENCODING = values();

  private final int encoding;

  InvalidationGranularity(int encoding) {
    this.encoding = encoding;
  }

  public static InvalidationGranularity of(int encoding) {
    return BY_ENCODING[encoding];
  }

  public int encoding() {
    return encoding;
  }
}
