package io.hypercalld.ioreq.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.ranges.NumberRange;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What all servers' ranges say together is what each server's say. */
final class RangeOwnersTest {
  private static final int STEPS = 4000;
  private static final int NUMBERS = 300;
  private static final int LONGEST = 12;

  /** Of changes: most add a range, some take one away, few take all of a server's. */
  private static final int CHOICES = 40;

  private final List<RangeOwners> owners =
      Stream.of(RangeKind.values()).map(_ -> new RangeOwners()).toList();
  private final List<IoRanges> servers =
      IntStream.range(0, IoServers.MOST).mapToObj(id -> new IoRanges(owners, id)).toList();

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void having_afterRandomChanges_isWhoeverHasItWithinOneRange(long seed) {
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
    for (int step = 0; step < STEPS; step++) {
      change(random);
      NumberRange asked = range(random);
      for (RangeKind kind : RangeKind.values()) {
        assertThat(having(kind, asked)).isEqualTo(whoever(kind, asked));
      }
    }
  }

  private void change(RandomGenerator random) {
    IoRanges ranges = servers.get(random.nextInt(servers.size()));
    RangeKind kind = RangeKind.ofNumber(random.nextInt(RangeKind.values().length)).orElseThrow();
    try {
      switch (random.nextInt(CHOICES)) {
        case 0 -> ranges.clear();
        case 1, 2, 3, 4, 5, 6, 7 -> ranges.unmap(kind, range(random));
        default -> ranges.map(kind, range(random));
      }
    } catch (Refusal _) {
      assertThat(ranges.ranges(kind)).hasSizeLessThanOrEqualTo(IoRanges.MOST);
    }
  }

  /** Around 2^63 or next to the ends of all numbers. */
  private static NumberRange range(RandomGenerator random) {
    long first = random.nextInt(NUMBERS);
    long last = first + random.nextInt(LONGEST);
    return switch (random.nextInt(3)) {
      case 0 -> new NumberRange(first, last);
      case 1 -> new NumberRange(Long.MIN_VALUE - 150 + first, Long.MIN_VALUE - 150 + last);
      default -> new NumberRange(-1 - last, -1 - first);
    };
  }

  private int having(RangeKind kind, NumberRange asked) {
    return owners.get(kind.number()).having(asked);
  }

  private int whoever(RangeKind kind, NumberRange asked) {
    return IntStream.range(0, servers.size())
        .filter(id -> servers.get(id).contains(kind, asked))
        .map(id -> 1 << id)
        .sum();
  }

  @Test
  void having_asManyRangesAsThereCanBe_isWhoeverHasIt() {
    for (int id = 0; id < IoServers.MOST; id++) {
      for (int range = 0; range < IoRanges.MOST; range++) {
        servers.get(id).map(RangeKind.MEMORY, NumberRange.of(start(id, range), 2));
      }
    }
    for (int id = 0; id < IoServers.MOST; id++) {
      for (int range = 0; range < IoRanges.MOST; range++) {
        long start = start(id, range);
        assertThat(having(RangeKind.MEMORY, NumberRange.of(start, 2))).isEqualTo(1 << id);
        assertThat(having(RangeKind.MEMORY, NumberRange.of(start, 3))).isZero();
        assertThat(having(RangeKind.MEMORY, NumberRange.of(start + 2, 1))).isZero();
      }
    }
  }

  private static long start(int server, int range) {
    return ((long) range * IoServers.MOST + server) * 3;
  }
}
