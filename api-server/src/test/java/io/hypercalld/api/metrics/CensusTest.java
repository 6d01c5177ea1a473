package io.hypercalld.api.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Figures that take long to find. */
class CensusTest {
  private static final long WORK = 1000;

  private final AtomicInteger counted = new AtomicInteger();
  private long now;

  private final Census<Integer> census = new Census<>(1, this::count, () -> now);

  private int count() {
    now += WORK;
    return counted.incrementAndGet();
  }

  @Test
  void update_withoutChange_countsNothing() {
    now += 1_000_000;

    assertThat(census.update(1)).isTrue();
    assertThat(counted).hasValue(1);
  }

  @Test
  void update_changedTooSoon_keepsTheOldFigureAndSaysSo() {
    now += 48 * WORK;

    assertThat(census.update(2)).isFalse();
    assertThat(census.figure()).isEqualTo(1);
  }

  @Test
  void update_changedAfterARest_countsAgain() {
    now += 49 * WORK;

    assertThat(census.update(2)).isTrue();
    assertThat(census.figure()).isEqualTo(2);
  }

  @Test
  void update_whateverHappens_costsAFiftiethOfTheTime() {
    for (int revision = 2; revision < 10_000; revision++) {
      now += WORK / 2;
      census.update(revision);
    }

    assertThat(counted.get() * WORK).isLessThanOrEqualTo(now / 50 + WORK);
  }
}
