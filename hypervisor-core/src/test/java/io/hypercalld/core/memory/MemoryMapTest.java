package io.hypercalld.core.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.hypercalld.core.memory.MemoryMap.Region;
import java.util.List;
import org.junit.jupiter.api.Test;

class MemoryMapTest {
  private static final long GIB = 1L << 30;

  @Test
  void machine_largerThanItsLowMemory_hasAHoleUpToFourGib() {
    MemoryMap map = MemoryMap.of(8 * GIB, 2 * GIB, List.of());

    assertThat(map.lowTop()).isEqualTo(2 * GIB);
    assertThat(map.highTop()).isEqualTo(10 * GIB);
    assertThat(map.ramBytes()).isEqualTo(8 * GIB);
    assertThat(map.isRam(2 * GIB - 1, 1)).isTrue();
    assertThat(map.isRam(2 * GIB - 1, 2)).isFalse();
    assertThat(map.isRam(4 * GIB - 1, 1)).isFalse();
    assertThat(map.isRam(4 * GIB, 6 * GIB)).isTrue();
    assertThat(map.isRam(4 * GIB, 6 * GIB + 1)).isFalse();
  }

  @Test
  void isRam_ofRangesThatWrapOrAreNegative_isFalse() {
    MemoryMap map = MemoryMap.of(8 * GIB, 2 * GIB, List.of());

    assertThat(map.isRam(-1, 1)).isFalse();
    assertThat(map.isRam(Long.MIN_VALUE, 8)).isFalse();
    assertThat(map.isRam(0, -1)).isFalse();
    assertThat(map.isRam(GIB, Long.MAX_VALUE)).isFalse();
    assertThat(map.isRam(Long.MAX_VALUE, 8)).isFalse();
  }

  @Test
  void usable_leavesOutReservedRegions() {
    MemoryMap map =
        MemoryMap.of(
            8 * GIB,
            2 * GIB,
            List.of(
                new Region(0x7000_0000L, 0x7100_0000L), new Region(0x7100_0000L, 0x7180_0000L)));

    assertThat(map.usable())
        .containsExactly(
            new Region(0, 0xa_0000L),
            new Region(0x10_0000L, 0x7000_0000L),
            new Region(0x7180_0000L, 2 * GIB),
            new Region(4 * GIB, 10 * GIB));
  }

  @Test
  void usable_ofOverlappingRegionsAtBothEnds_isWhatIsBetween() {
    MemoryMap map =
        MemoryMap.of(
            GIB, 2 * GIB, List.of(new Region(0, 0x20_0000L), new Region(GIB - 0x1000, GIB)));

    assertThat(map.usable()).containsExactly(new Region(0x20_0000L, GIB - 0x1000));
    assertThat(map.highTop()).isEqualTo(4 * GIB);
  }

  @Test
  void reservedRegion_outsideRam_isRefused() {
    assertThatThrownBy(
            () -> MemoryMap.of(GIB, 2 * GIB, List.of(new Region(0xfed0_0000L, 0xfed0_1000L))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("0xfed00000-0xfed00fff");
  }
}
