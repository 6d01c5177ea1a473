package io.hypercalld.core.ranges;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.BitSet;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.api.Test;

class RangeSetTest {
  private final RangeSet set = new RangeSet();

  @Test
  void neighbours_becomeOneRange() {
    set.add(new NumberRange(0x10, 0x1f));
    set.add(new NumberRange(0x30, 0x3f));
    set.add(new NumberRange(0x20, 0x2f));

    assertThat(set.ranges()).containsExactly(new NumberRange(0x10, 0x3f));
    assertThat(set.contains(new NumberRange(0x1f, 0x30))).isTrue();
    assertThat(set.contains(new NumberRange(0x1f, 0x40))).isFalse();
  }

  @Test
  void middle_removed_leavesBothEnds() {
    set.add(new NumberRange(0, -1L));

    set.remove(new NumberRange(1, -3L));

    assertThat(set.ranges()).containsExactly(new NumberRange(0, 0), new NumberRange(-2L, -1L));
    assertThat(set.overlaps(new NumberRange(1, -3L))).isFalse();
    assertThat(set.overlaps(new NumberRange(1, -2L))).isTrue();
  }

  @Test
  void range_thatWraps_isNone() {
    assertThat(NumberRange.of(-1L, 1).count()).isEqualTo(1);
    assertThatThrownBy(() -> NumberRange.of(-1L, 2)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new NumberRange(-1L, 0)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void randomChanges_agreeWithASetOfBits() {
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(7);
    BitSet bits = new BitSet();
    for (int step = 0; step < 5000; step++) {
      int first = random.nextInt(200);
      int count = 1 + random.nextInt(20);
      NumberRange range = NumberRange.of(first, count);
      if (random.nextBoolean()) {
        set.add(range);
        bits.set(first, first + count);
      } else {
        set.remove(range);
        bits.clear(first, first + count);
      }
      NumberRange asked = NumberRange.of(random.nextInt(220), 1 + random.nextInt(5));
      int end = (int) asked.last() + 1;
      int at = (int) asked.first();
      assertThat(set.contains(asked)).isEqualTo(bits.nextClearBit(at) >= end);
      int next = bits.nextSetBit(at);
      assertThat(set.overlaps(asked)).isEqualTo(next >= 0 && next < end);
    }
    assertThat(set.ranges().stream().mapToLong(NumberRange::count).sum())
        .isEqualTo(bits.cardinality());
  }
}
