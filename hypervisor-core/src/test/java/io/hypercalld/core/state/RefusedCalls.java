package io.hypercalld.core.state;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.core.Hypervisor;
import io.hypercalld.core.SimulatedHost;
import io.hypercalld.core.hypercall.Outcome;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;

/**
 * Makes hypercalls, and sees that one that is refused leaves every byte as it was.
 *
 * <p>A digest of everything takes a thousand times as long as a call, so only one call in {@link
 * #ONE_IN}, at random, is watched so; a walk says at its end how many of these were refused.
 */
final class RefusedCalls {
  private static final int ONE_IN = 24;

  private final RandomGenerator random =
      RandomGeneratorFactory.of("L64X128MixRandom").create(ONE_IN);
  private final Hypervisor hypervisor;
  private int watched;

  RefusedCalls(Hypervisor hypervisor) {
    this.hypervisor = hypervisor;
  }

  /** Refusals that were seen to change nothing. */
  int watched() {
    return watched;
  }

  /** What Xen would return. */
  long ret(Supplier<Outcome> call) {
    if (random.nextInt(ONE_IN) > 0) {
      return SimulatedHost.ret(call);
    }
    String before = SimulatedHost.digest(hypervisor);
    long ret = SimulatedHost.ret(call);
    if (ret < 0) {
      assertThat(SimulatedHost.digest(hypervisor)).as("refused with %d", ret).isEqualTo(before);
      watched++;
    }
    return ret;
  }
}
