package io.hypercalld.api.machine;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.core.dma.DmaMode;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Swaps of pages, grants that come and go, a balloon, TLB inserts and DMA in random order: behind a
 * unit no device ever reaches what its domain has no more; without one it does, and is seen to.
 */
final class AddressModeStateTest {
  private static final int STEPS = 3000;
  private static final int BETWEEN_CHECKS = 300;

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void behindAUnit_noOldFrameIsReachedAndNobodyIsAVictim(long seed) {
    walk(DmaMode.VP_IOMMU, seed);
  }

  @ParameterizedTest
  @CsvSource({"VP, 4", "VP, 5", "P2M, 6", "IDENTITY, 7"})
  void withoutAUnit_everyVictimIsNamed(DmaMode mode, long seed) {
    assertThat(walk(mode, seed)).isPositive();
  }

  /** How often a device reached a frame that its domain had had elsewhere, or not any more. */
  private static long walk(DmaMode mode, long seed) {
    var random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
    try (AddressModeRun run = new AddressModeRun(mode, random)) {
      for (int step = 1; step <= STEPS; step++) {
        run.step();
        if (step % BETWEEN_CHECKS == 0) {
          run.assertConsistent();
        }
      }
      return run.stale;
    }
  }
}
