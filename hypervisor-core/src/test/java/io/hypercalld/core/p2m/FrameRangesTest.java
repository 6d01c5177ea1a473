package io.hypercalld.core.p2m;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Optional;
import java.util.TreeMap;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.api.Test;

class FrameRangesTest {
  private final FrameRanges<String> ranges = new FrameRanges<>();

  private String text() {
    StringBuilder text = new StringBuilder();
    ranges.forEach((start, end, value) -> text.append(start).append('-').append(end).append(value));
    return text.toString();
  }

  @Test
  void put_beside_joinsWhatSaysTheSame() {
    ranges.put(0, 4, "a");
    ranges.put(8, 12, "a");
    ranges.put(4, 8, "a");
    ranges.put(12, 13, "b");

    assertThat(text()).isEqualTo("0-12a12-13b");
  }

  @Test
  void put_over_takesThePlaceOfWhatWasThere() {
    ranges.put(0, 10, "a");
    ranges.put(3, 5, "b");

    assertThat(text()).isEqualTo("0-3a3-5b5-10a");
    assertThat(ranges.at(4)).contains("b");
    assertThat(ranges.at(10)).isEmpty();
  }

  @Test
  void covered_countsFramesInARange() {
    ranges.put(2, 4, "a");
    ranges.put(6, 8, "b");

    assertThat(ranges.covered(0, 10)).isEqualTo(4);
    assertThat(ranges.covered(3, 7)).isEqualTo(2);
    assertThat(ranges.covered(4, 6)).isZero();
  }

  @Test
  void randomOperations_agreeWithAMapOfFrames() {
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(7);
    TreeMap<Long, String> model = new TreeMap<>();
    for (int step = 0; step < 3000; step++) {
      long start = random.nextInt(60);
      long end = start + 1 + random.nextInt(10);
      String value = random.nextBoolean() ? "a" : "b";
      boolean put = random.nextBoolean();
      if (put) {
        ranges.put(start, end, value);
      } else {
        ranges.remove(start, end);
      }
      for (long i = start; i < end; i++) {
        model.compute(i, (_, _) -> put ? value : null);
      }
      for (long i = 0; i < 75; i++) {
        assertThat(ranges.at(i)).isEqualTo(Optional.ofNullable(model.get(i)));
      }
      assertThat(ranges.covered(start, end)).isEqualTo(model.subMap(start, end).size());
    }
    assertThat(ranges.isEmpty()).isEqualTo(model.isEmpty());
  }
}
