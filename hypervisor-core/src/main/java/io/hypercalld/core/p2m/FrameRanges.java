package io.hypercalld.core.p2m;

import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Something noted for ranges of guest frames; ranges that touch and say the same are one. Confined
 * to the machine thread. Ends are exclusive.
 */
final class FrameRanges<T> {
  private final TreeMap<Long, Range<T>> byStart = new TreeMap<>();

  /** What is noted up to a guest frame, exclusive. */
  private record Range<T>(long end, T value) {}

  /** What is done with each range. */
  interface Visitor<T> {
    void range(long start, long end, T value);
  }

  boolean isEmpty() {
    return byStart.isEmpty();
  }

  void clear() {
    byStart.clear();
  }

  Optional<T> at(long gfn) {
    return Optional.ofNullable(byStart.floorEntry(gfn))
        .map(Map.Entry::getValue)
        .filter(range -> gfn < range.end)
        .map(Range::value);
  }

  /** How many of the frames from {@code start} to {@code end} are in a range. */
  long covered(long start, long end) {
    long frames = 0;
    Map.Entry<Long, Range<T>> before = byStart.floorEntry(start);
    long from = before == null ? start : before.getKey();
    for (Map.Entry<Long, Range<T>> entry : byStart.subMap(from, end).entrySet()) {
      long overlap = Math.min(end, entry.getValue().end) - Math.max(start, entry.getKey());
      frames += Math.max(0, overlap);
    }
    return frames;
  }

  /** Notes the value for a range, in place of what was noted there. */
  void put(long start, long end, T value) {
    remove(start, end);
    long first = start;
    long last = end;
    Map.Entry<Long, Range<T>> left = byStart.lowerEntry(start);
    if (left != null && left.getValue().end == start && left.getValue().value.equals(value)) {
      first = left.getKey();
    }
    Range<T> right = byStart.get(end);
    if (right != null && right.value.equals(value)) {
      last = right.end;
      byStart.remove(end);
    }
    byStart.put(first, new Range<>(last, value));
  }

  /** Forgets what is noted in a range. */
  void remove(long start, long end) {
    if (byStart.isEmpty()) {
      return;
    }
    cut(start);
    cut(end);
    byStart.subMap(start, end).clear();
  }

  /** Makes no range go across the frame. */
  private void cut(long at) {
    Map.Entry<Long, Range<T>> around = byStart.lowerEntry(at);
    if (around != null && around.getValue().end > at) {
      Range<T> range = around.getValue();
      byStart.put(around.getKey(), new Range<>(at, range.value));
      byStart.put(at, range);
    }
  }

  /** Visits every range in ascending order. */
  void forEach(Visitor<T> visitor) {
    byStart.forEach((start, range) -> visitor.range(start, range.end, range.value));
  }
}
