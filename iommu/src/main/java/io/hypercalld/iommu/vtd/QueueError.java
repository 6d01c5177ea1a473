package io.hypercalld.iommu.vtd;

import java.util.Optional;

/**
 * Why the invalidation queue stopped: field IQEI. Immutable.
 *
 * @see "VT-d §11.4.9.9"
 */
public enum QueueError {
  TAIL_BEYOND_RING(1, "The tail pointer is outside the ring"),
  DESCRIPTOR_UNREADABLE(2, "A descriptor could not be fetched"),
  DESCRIPTOR_TYPE_INVALID(3, "A descriptor has an invalid type"),
  DESCRIPTOR_RESERVED(4, "A descriptor has a reserved field set"),
  DESCRIPTOR_WIDTH_INVALID(5, "The descriptor width is invalid"),
  TAIL_MISALIGNED(6, "The tail pointer does not start a descriptor"),
  TABLE_MODE_INVALID(7, "A descriptor is invalid in this translation table mode");

  private static final QueueError[] ALL = values();

  private final int code;
  private final String text;

  QueueError(int code, String text) {
    this.code = code;
    this.text = text;
  }

  /** The error with this number; empty for 0 and for numbers that mean nothing. */
  public static Optional<QueueError> of(int code) {
    return code >= 1 && code <= ALL.length ? Optional.of(ALL[code - 1]) : Optional.empty();
  }

  public int code() {
    return code;
  }

  public String text() {
    return text;
  }
}
