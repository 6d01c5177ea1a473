package io.hypercalld.iommu.driver;

import io.hypercalld.core.state.StateWalk;
import io.hypercalld.core.state.Surroundings;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Random operations on domains' memory while their devices read and write it through a unit. */
class MemoryDmaStateTest {
  private static final int STEPS = 10_000;

  @ParameterizedTest(name = "seed {0}, separate tables: {1}")
  @CsvSource("3, false")
  void memoryAndWhatDevicesSeeOfIt_agreeWithTheModel(long seed, boolean separate) {
    try (SimulatedMachine machine = SimulatedMachine.boot()) {
      var random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
      AssignedDevices devices = new AssignedDevices(machine, separate);
      StateWalk walk = new StateWalk(Surroundings.of(machine.hypervisor, devices), random);
      walk.run(STEPS, "seed %d, separate tables: %s".formatted(seed, separate));
    }
  }
}
