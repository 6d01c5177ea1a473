package io.hypercalld.api.machine;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.api.platform.PlatformSource;
import io.hypercalld.core.state.StateWalk;
import io.hypercalld.core.state.Surroundings;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.api.Test;

/**
 * The memory of several domains on a whole machine: units translate for their devices, and ioreq
 * servers answer for their pages. What is refused changes nothing of the hypervisor's or the IOMMU
 * driver's.
 */
class MachineMemoryStateTest {
  private static final int STEPS = 100_000;
  private static final long SEED = 1;
  private static final long MEMORY = 2L << 30;

  @Test
  void randomOperations_agreeWithTheModelAndEndWhereTheyBegan() {
    try (Machine machine =
        new Machine(PlatformSource.named("four-nics").load().platform().withMemory(MEMORY))) {
      Surroundings around =
          new Surroundings(
              machine.hypervisor(),
              new MachineDevices(machine),
              new MachineServers(machine),
              digest -> digest.put(machine.hypervisor()).put(machine.driver()).finish());
      StateWalk walk =
          new StateWalk(around, RandomGeneratorFactory.of("L64X128MixRandom").create(SEED));

      walk.run(STEPS, "seed " + SEED);

      assertThat(machine.violations()).isEmpty();
    }
  }
}
