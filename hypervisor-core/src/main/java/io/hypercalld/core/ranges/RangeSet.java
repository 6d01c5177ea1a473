package io.hypercalld.core.ranges;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A set of numbers, kept as ranges that neither overlap nor touch. Confined to the machine thread.
 *
 * @see "xen/common/rangeset.c"
 */
public final class RangeSet implements Digestible {
  private final TreeMap<Long, NumberRange> byFirst = new TreeMap<>(Long::compareUnsigned);

  /** Adds numbers; those that are there stay. */
  public void add(NumberRange range) {
    NumberRange joined = range;
    Map.Entry<Long, NumberRange> before = byFirst.floorEntry(range.first());
    if (before != null && touches(before.getValue(), range)) {
      joined = join(before.getValue(), joined);
    }
    Map.Entry<Long, NumberRange> next = byFirst.ceilingEntry(joined.first());
    while (next != null && touches(joined, next.getValue())) {
      joined = join(joined, next.getValue());
      byFirst.remove(next.getKey());
      next = byFirst.ceilingEntry(joined.first());
    }
    byFirst.put(joined.first(), joined);
  }

  /** Removes numbers; those that are not there stay away. */
  public void remove(NumberRange range) {
    for (NumberRange old : overlapping(range)) {
      byFirst.remove(old.first());
      if (Long.compareUnsigned(old.first(), range.first()) < 0) {
        byFirst.put(old.first(), new NumberRange(old.first(), range.first() - 1));
      }
      if (Long.compareUnsigned(range.last(), old.last()) < 0) {
        byFirst.put(range.last() + 1, new NumberRange(range.last() + 1, old.last()));
      }
    }
  }

  /** Whether every number of the range is there. */
  public boolean contains(NumberRange range) {
    Map.Entry<Long, NumberRange> before = byFirst.floorEntry(range.first());
    return before != null && before.getValue().contains(range);
  }

  /** Whether any number of the range is there. */
  public boolean overlaps(NumberRange range) {
    Map.Entry<Long, NumberRange> last = byFirst.floorEntry(range.last());
    return last != null && last.getValue().overlaps(range);
  }

  public boolean isEmpty() {
    return byFirst.isEmpty();
  }

  /** The ranges, ascending. */
  public List<NumberRange> ranges() {
    return List.copyOf(byFirst.values());
  }

  private List<NumberRange> overlapping(NumberRange range) {
    Long from = byFirst.floorKey(range.first());
    return byFirst
        .subMap(from == null ? range.first() : from, true, range.last(), true)
        .values()
        .stream()
        .filter(range::overlaps)
        .toList();
  }

  /** Whether the later one overlaps the earlier one or follows it without a gap. */
  private static boolean touches(NumberRange earlier, NumberRange later) {
    return Long.compareUnsigned(later.first(), earlier.last()) <= 0
        || later.first() == earlier.last() + 1;
  }

  private static NumberRange join(NumberRange earlier, NumberRange later) {
    boolean longer = Long.compareUnsigned(later.last(), earlier.last()) > 0;
    return new NumberRange(earlier.first(), longer ? later.last() : earlier.last());
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("ranges").put(byFirst.size());
    byFirst.values().forEach(range -> digest.put(range.first()).put(range.last()));
  }
}
