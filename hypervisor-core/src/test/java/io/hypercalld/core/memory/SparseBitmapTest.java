package io.hypercalld.core.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.TreeSet;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SparseBitmapTest {
  private final HostMemory host = new HostMemory();

  @AfterEach
  void release() {
    host.close();
  }

  private SparseBitmap bitmap(long bound) {
    return new SparseBitmap(bound, host);
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 63, 64, 65, 4095, 4096, 4097, 262_144, 262_145, 1L << 32})
  void next_ofTheOnlyMemberAtTheEnd_isFoundFromAnywhere(long bound) {
    SparseBitmap bitmap = bitmap(bound);

    bitmap.add(bound - 1);

    assertThat(bitmap.next(0)).isEqualTo(bound - 1);
    assertThat(bitmap.next(bound / 2)).isEqualTo(bound - 1);
    assertThat(bitmap.next(bound - 1)).isEqualTo(bound - 1);
    assertThat(bitmap.next(bound)).isEqualTo(-1);
  }

  @Test
  void next_inAnEmptySet_isNone() {
    assertThat(bitmap(1L << 32).next(0)).isEqualTo(-1);
  }

  @Test
  void next_fromTheLastNumberOfAWord_goesOnInALaterOne() {
    SparseBitmap bitmap = bitmap(1L << 24);
    bitmap.add(1 << 20);

    for (long from : new long[] {0, 63, 64, 4095, 4096, 262_143, 262_144, 1 << 20}) {
      assertThat(bitmap.next(from)).as("from %d", from).isEqualTo(1 << 20);
    }
    assertThat(bitmap.next((1 << 20) + 1)).isEqualTo(-1);
  }

  @Test
  void index_outOfBounds_isRefusedBeforeAnythingIsWritten() {
    SparseBitmap bitmap = bitmap(100);

    assertThatThrownBy(() -> bitmap.add(100)).isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> bitmap.remove(-1)).isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> bitmap.contains(100)).isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> bitmap.addRange(90, 11)).isInstanceOf(IndexOutOfBoundsException.class);
    assertThat(bitmap.size()).isZero();
  }

  @Test
  void range_acrossWords_addsAndRemovesExactlyItsNumbers() {
    SparseBitmap bitmap = bitmap(10_000);

    bitmap.addRange(60, 200);
    bitmap.removeRange(100, 64);

    assertThat(bitmap.size()).isEqualTo(136);
    assertThat(bitmap.contains(59)).isFalse();
    assertThat(bitmap.runLength(60, 1000)).isEqualTo(40);
    assertThat(bitmap.next(100)).isEqualTo(164);
    assertThat(bitmap.runLength(164, 1000)).isEqualTo(96);
    assertThat(bitmap.runLength(164, 10)).isEqualTo(10);
    assertThat(bitmap.runLength(100, 10)).isZero();
  }

  @Test
  void randomOperations_agreeWithATreeSet() {
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(7);
    int bound = 300_000;
    SparseBitmap bitmap = bitmap(bound);
    TreeSet<Long> model = new TreeSet<>();

    for (int step = 0; step < 20_000; step++) {
      long at = random.nextLong(bound);
      long count = random.nextLong(Math.min(200, bound - at));
      switch (random.nextInt(4)) {
        case 0 -> {
          bitmap.add(at);
          model.add(at);
        }
        case 1 -> {
          bitmap.remove(at);
          model.remove(at);
        }
        case 2 -> {
          bitmap.addRange(at, count);
          for (long i = at; i < at + count; i++) {
            model.add(i);
          }
        }
        default -> {
          bitmap.removeRange(at, count);
          model.subSet(at, at + count).clear();
        }
      }
      long from = random.nextLong(bound);
      Long next = model.ceiling(from);
      assertThat(bitmap.next(from)).isEqualTo(next == null ? -1 : next);
      assertThat(bitmap.size()).isEqualTo(model.size());
    }
  }
}
