package io.hypercalld.api.machine;

import java.util.Arrays;
import java.util.List;

/** How often something took how long, in buckets. Confined to the machine thread. */
public final class Durations {
  /** Upper bounds of the buckets, in nanoseconds, ascending; a last one has none. */
  private static final List<Long> BOUNDS =
      List.of(
          10_000L,
          30_000L,
          100_000L,
          300_000L,
          1_000_000L,
          3_000_000L,
          10_000_000L,
          100_000_000L,
          1_000_000_000L);

  private final long[] buckets = new long[BOUNDS.size() + 1];
  private long nanos;

  void add(long duration) {
    nanos += duration;
    int bucket = 0;
    while (bucket < BOUNDS.size() && duration > BOUNDS.get(bucket)) {
      bucket++;
    }
    buckets[bucket]++;
  }

  /** How often it took as long as each bucket says, without those below. */
  List<Long> buckets() {
    return Arrays.stream(buckets).boxed().toList();
  }

  /** How long it took in all. */
  long nanos() {
    return nanos;
  }

  /** Upper bounds of the buckets but the last, in nanoseconds. */
  public static List<Long> boundsInNanos() {
    return BOUNDS;
  }
}
