package io.hypercalld.core.dma;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import java.util.List;

/**
 * Where a bounce pool is. Immutable.
 *
 * @param gpa guest-physical address of the pool, whose segments follow each other there
 * @param segments bus address of each segment
 * @param overflow where the overflow buffer is
 */
public record BouncePool(Word gpa, List<Word> segments, Overflow overflow) {
  /** Bytes of a segment: what one mapping gets at most. */
  public static final int SEGMENT_BYTES = SlabList.SEGMENT << SoftwareIotlb.SLAB_SHIFT;

  /** The buffer that everybody gets who comes when the pool is full. */
  public record Overflow(Word gpa, Word bus) {}

  /**
   * A pool of whole segments.
   *
   * @throws Refusal EINVAL for none, or for one that is not where a segment may be: at a multiple
   *     of its size
   */
  public BouncePool {
    segments = List.copyOf(segments);
    if (segments.isEmpty()) {
      throw Refusal.of(Errno.EINVAL, "a bounce pool has at least one segment");
    }
    for (Word segment : segments) {
      if (segment.value() % SEGMENT_BYTES != 0) {
        throw Refusal.of(
            Errno.EINVAL, "a segment of the pool at 0x%x is not aligned", segment.value());
      }
    }
  }

  /** Behind the last bus address of it. */
  public long end() {
    long end = overflow.bus().value() + SoftwareIotlb.OVERFLOW_BYTES;
    for (Word segment : segments) {
      end = Math.max(end, segment.value() + SEGMENT_BYTES);
    }
    return end;
  }
}
