package io.hypercalld.api.rest;

import io.hypercalld.api.machine.FaultEffect;
import io.hypercalld.api.machine.FaultRules.Strike;
import io.hypercalld.api.machine.Machine;
import io.hypercalld.core.errno.Errno;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The fault rules that struck while one request was worked on, and what that means for its answer.
 * Written by the machine's thread before the answer is made.
 */
final class Strikes {
  static final String HEADER = "Injected-By";

  private volatile List<Strike> struck = List.of();

  /** Finds out who struck. */
  void note(Machine machine, Optional<Errno> refused) {
    struck = machine.faultRules().tell(refused);
  }

  /** The failure, with whom to blame. */
  RuntimeException blame(Throwable thrown, String requestId) {
    Failure failure = Thrown.failure(thrown, requestId);
    return struck.isEmpty() ? failure : failure.injectedBy(struck.getFirst().rule());
  }

  /** Sends the answer: marked, or late, or lost, or never. */
  void end(CompletableFuture<Encoded> sent, @Nullable Encoded answer, @Nullable Throwable thrown) {
    long late = struck.stream().mapToLong(Strike::lateNanos).sum();
    if (late > 0) {
      CompletableFuture.delayedExecutor(late, TimeUnit.NANOSECONDS)
          .execute(() -> endNow(sent, answer, thrown));
    } else {
      endNow(sent, answer, thrown);
    }
  }

  private void endNow(
      CompletableFuture<Encoded> sent, @Nullable Encoded answer, @Nullable Throwable thrown) {
    if (has(FaultEffect.HTTP_RESET)) {
      sent.complete(Encoded.LOST);
    } else if (thrown != null && !has(FaultEffect.HANG)) {
      sent.completeExceptionally(thrown);
    } else if (answer != null && !has(FaultEffect.HANG)) {
      sent.complete(struck.isEmpty() ? answer : answer.with(HEADER, struck.getFirst().rule()));
    }
  }

  private boolean has(FaultEffect effect) {
    return struck.stream().anyMatch(strike -> strike.effect().filter(effect::equals).isPresent());
  }
}
