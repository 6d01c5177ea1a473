package io.hypercalld.iommu.driver;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.iommu.audit.Violation;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Half a million stores to the units of a machine whose driver is at work on them: nothing escapes,
 * nothing hangs, and the driver's own state stays right.
 */
final class MixedStormTest {
  /** Where units no longer obey, devices break and guests crash: then it begins anew. */
  private static final int MACHINES = 10;

  private static final int STRIKES_PER_MACHINE = 25_000;
  private static final int STRIKES_PER_STEP = 50;
  private static final int STEPS_PER_AUDIT = 50;

  /** What units remember is theirs to get wrong once somebody else commands them. */
  private static final Set<String> OF_CACHES = Set.of("I4", "I6");

  private static List<Violation> violations(SimulatedMachine machine, boolean commanded) {
    return machine.violations().stream()
        .filter(each -> !commanded || !OF_CACHES.contains(each.invariant()))
        .toList();
  }

  @ParameterizedTest(name = "units are commanded, too: {0}")
  @ValueSource(booleans = {false, true})
  @Timeout(value = 300, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
  void aQuarterOfAMillionStoresBehindTheDriversBack_leaveItsStateRight(boolean commanded) {
    for (int seed = 1; seed <= MACHINES; seed++) {
      try (SimulatedMachine machine =
          seed % 2 == 0 ? SimulatedMachine.withCachingMode() : SimulatedMachine.boot()) {
        storm(machine, seed, commanded);
      }
    }
  }

  private static void storm(SimulatedMachine machine, long seed, boolean commanded) {
    DriverStorm storm = new DriverStorm(machine, seed, !commanded);
    UnitNoise noise = new UnitNoise(machine, storm.guests(), seed, commanded);
    machine.betweenSteps =
        () -> {
          noise.strike();
          storm.shoot();
        };
    for (int step = 0; noise.strikes() < STRIKES_PER_MACHINE; step++) {
      storm.step();
      for (int strike = 0; strike < STRIKES_PER_STEP; strike++) {
        noise.strike();
      }
      if (step % STEPS_PER_AUDIT == 0) {
        audit(machine, storm, seed, commanded);
      }
    }
    audit(machine, storm, seed, commanded);
  }

  private static void audit(
      SimulatedMachine machine, DriverStorm storm, long seed, boolean commanded) {
    storm.tellUnits();
    assertThat(violations(machine, commanded)).as("seed %d", seed).isEmpty();
  }
}
