package io.hypercalld.api.metrics;

import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * A figure that takes long to find: found again only where it may have changed, and so rarely that
 * it costs the thread no more than a fiftieth of its time. Confined to the machine thread.
 *
 * @param <T> the figure, immutable
 */
final class Census<T> {
  private static final long REST_PER_WORK = 49;

  /** A long pause of the whole process while counting is not to be paid for many times over. */
  private static final long LONGEST_REST_NANOS = 50_000_000;

  private final Supplier<T> counting;
  private final LongSupplier clock;
  private T figure;
  private long revision;
  private long restsUntil;

  /**
   * Counts for the first time.
   *
   * @param revision as in {@link #update}
   * @param clock nanoseconds, as {@link System#nanoTime}
   */
  Census(long revision, Supplier<T> counting, LongSupplier clock) {
    this.counting = counting;
    this.clock = clock;
    this.revision = revision;
    this.figure = count();
  }

  /** The figure as it was counted last. */
  T figure() {
    return figure;
  }

  /**
   * Counts again if it is time.
   *
   * @param now any number that is another one whenever the figure may be
   * @return whether {@link #figure} is current
   */
  boolean update(long now) {
    if (now == revision) {
      return true;
    }
    if (clock.getAsLong() - restsUntil < 0) {
      return false;
    }
    figure = count();
    revision = now;
    return true;
  }

  private T count() {
    long began = clock.getAsLong();
    T counted = counting.get();
    long ended = clock.getAsLong();
    restsUntil = ended + Math.min(LONGEST_REST_NANOS, REST_PER_WORK * (ended - began));
    return counted;
  }
}
