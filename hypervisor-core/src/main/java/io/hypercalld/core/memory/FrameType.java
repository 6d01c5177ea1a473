package io.hypercalld.core.memory;

/**
 * What a frame is used as, of those uses that exclude each other.
 *
 * @see "xen/arch/x86/include/asm/mm.h, PGT_*"
 */
public enum FrameType {
  NONE(0),
  L1_PAGE_TABLE(1),
  L2_PAGE_TABLE(2),
  L3_PAGE_TABLE(3),
  L4_PAGE_TABLE(4),
  SEGMENT_DESCRIPTORS(5),
  /** Mapped by several domains, to be copied before it is written. */
  SHARED(6),
  WRITABLE(7);

  private static final FrameType[] BY_NUMBER = values();

  private final int number;

  FrameType(int number) {
    this.number = number;
  }

  /** The number that {@code type_info} holds. */
  public int number() {
    return number;
  }

  /** The type of a number from 0 to 7. */
  static FrameType ofNumber(int number) {
    return BY_NUMBER[number];
  }
}
