package io.hypercalld.core.state;

import io.hypercalld.core.Hypervisor;
import io.hypercalld.core.HypervisorSettings;
import io.hypercalld.core.memory.MemoryMap;
import java.util.List;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The state test without units: devices see what the P2M announces. */
class MemoryStateTest {
  private static final int STEPS = 10_000;
  private static final long MEMORY = 256L << 20;
  private static final long DOM0 = 16L << 20;

  @ParameterizedTest
  @ValueSource(longs = {1})
  void randomOperations_agreeWithTheModelAndEndWhereTheyBegan(long seed) {
    MemoryMap map = MemoryMap.of(MEMORY, MEMORY, List.of());
    try (Hypervisor hypervisor =
        new Hypervisor(new HypervisorSettings(map, DOM0, 1, true, true, 46))) {
      hypervisor.bootDom0();
      var random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
      StateWalk walk =
          new StateWalk(Surroundings.of(hypervisor, new AnnouncedDevices(hypervisor)), random);
      walk.run(STEPS, "seed " + seed);
    }
  }
}
