package io.hypercalld.core.state;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.core.SimulatedHost;
import io.hypercalld.core.hypercall.Outcome;
import java.util.function.Predicate;
import java.util.function.Supplier;

/** Makes hypercalls, and sees of every fourth that it leaves every byte as it was if refused. */
final class RefusedCalls {
  /** To look at all of the state before and after a call takes much longer than the call. */
  private static final int EVERY = 4;

  private final Surroundings around;
  private int calls;
  private int watched;

  RefusedCalls(Surroundings around) {
    this.around = around;
  }

  /** Refusals that were seen to change nothing. */
  int watched() {
    return watched;
  }

  /** What Xen would return. */
  long ret(Supplier<Outcome> call) {
    return watch(() -> SimulatedHost.ret(call), ret -> ret < 0);
  }

  /** How far Xen would come; what did not even begin changed nothing. */
  long count(Supplier<Long> call) {
    return watch(call, done -> done == 0);
  }

  /** What a call came to. */
  <T> T watch(Supplier<T> call, Predicate<T> isRefused) {
    if (++calls % EVERY != 0) {
      return call.get();
    }
    String before = around.state();
    T result = call.get();
    if (isRefused.test(result)) {
      assertThat(around.state()).as("refused with %s", result).isEqualTo(before);
      watched++;
    }
    return result;
  }
}
