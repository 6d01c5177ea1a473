package io.hypercalld.core.memory;

/**
 * What the record of a frame says, or that of the first of a block. Immutable.
 *
 * @param gfn the guest frame that maps it, or {@link FrameTable#INVALID_M2P}
 */
record FrameContents(long countInfo, long ownership, long gfn) {
  static final FrameContents FREE = new FrameContents(0, 0, FrameTable.INVALID_M2P);

  /**
   * Of a frame that only its allocation refers to.
   *
   * @param use its number
   * @param flags of {@code count_info}
   */
  static FrameContents allocated(int owner, long use, long flags) {
    return new FrameContents(
        FrameRecord.ALLOCATED.mask() | FrameRecord.COUNT.of(1) | flags,
        FrameRecord.OWNER_PLUS_ONE.of(owner + 1L) | FrameRecord.USE.of(use),
        FrameTable.INVALID_M2P);
  }

  FrameContents mappedAt(long newGfn) {
    return new FrameContents(countInfo, ownership, newGfn);
  }

  /** That of a like frame so many further on. */
  FrameContents after(long frames) {
    return new FrameContents(countInfo, ownership, gfn + frames * step());
  }

  /** How much the guest frame grows from one frame to the next. */
  int step() {
    return gfn < 0 ? 0 : 1;
  }
}
