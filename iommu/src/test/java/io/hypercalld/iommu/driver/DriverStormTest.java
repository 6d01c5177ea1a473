package io.hypercalld.iommu.driver;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The driver at work while devices fire at will: between any two of its register writes some device
 * reads, writes or sends interrupts, at addresses that are its own or not. What the driver holds is
 * right whenever it rests, invariants I1 to I8.
 */
final class DriverStormTest {
  private static final int STEPS = 2_000;

  private static String run(long seed) {
    try (SimulatedMachine machine =
        seed % 2 == 0 ? SimulatedMachine.withCachingMode() : SimulatedMachine.boot()) {
      DriverStorm storm = new DriverStorm(machine, seed);
      for (int step = 0; step < STEPS; step++) {
        storm.step();
        if (step % 100 == 0) {
          storm.audit();
        }
      }
      storm.audit();
      assertThat(storm.shots()).isGreaterThan(STEPS);
      assertThat(storm.stale()).isPositive();
      return machine.digest();
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2})
  void devicesThatFireBetweenAnyTwoSteps_breakNoInvariant_andCanBeRepeated(long seed) {
    assertThat(run(seed)).isEqualTo(run(seed));
  }
}
