package io.hypercalld.api.copy;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.api.machine.Machine;
import io.hypercalld.api.platform.PlatformSource;
import org.junit.jupiter.api.Test;

class GraphCopiesTest {
  @Test
  void copyOfAMachine_isAlike() {
    try (Machine machine = new Machine(PlatformSource.named("two-socket").load().platform())) {
      for (int i = 0; i < 5; i++) {
        long t = System.nanoTime();
        try (Machine copy = new GraphCopies().of(machine)) {
          System.out.println((System.nanoTime() - t) / 1000 + " us");
          assertThat(copy.digest()).isEqualTo(machine.digest());
        }
      }
    }
  }
}
