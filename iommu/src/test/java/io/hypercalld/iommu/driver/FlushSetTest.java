package io.hypercalld.iommu.driver;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which command covers a set of changes. */
final class FlushSetTest {
  private final FlushSet changes = new FlushSet();

  @ParameterizedTest
  @CsvSource({
    "5, 1, 0",
    "8, 8, 3",
    "0, 512, 9",
    "0, 1048576, 20",
    "5, 3, -1",
    "4, 8, -1",
    "6, 4, -1"
  })
  void addressMask_modifiedRange_isThereForAlignedPowersOfTwo(long dfn, long frames, int mask) {
    changes.modified(dfn, frames);

    assertThat(changes.addressMask()).isEqualTo(mask);
  }

  @Test
  void addressMask_whereATableWentAway_isNone() {
    changes.modified(0, 512);
    changes.everything();

    assertThat(changes.addressMask()).isEqualTo(-1);
  }

  @Test
  void isOnlyAdded_withOneChangeOfWhatWasThere_isNot() {
    changes.added(0, 8);
    assertThat(changes.isOnlyAdded()).isTrue();

    changes.modified(3, 1);

    assertThat(changes.isOnlyAdded()).isFalse();
  }
}
