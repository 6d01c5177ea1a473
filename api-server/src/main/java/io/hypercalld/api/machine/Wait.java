package io.hypercalld.api.machine;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * Something that may take a while to come about. Immutable.
 *
 * @param attempt asked again after each batch of tasks, until it has an answer
 * @param giveUp the answer when the time is up
 * @param most how long to wait; zero for not at all
 */
public record Wait<M, T>(
    Function<? super M, Optional<T>> attempt, Function<? super M, T> giveUp, Duration most) {
  /** The same after something else, once. */
  public Wait<M, T> after(Consumer<? super M> first) {
    AtomicBoolean done = new AtomicBoolean();
    return new Wait<>(
        machine -> {
          if (!done.get()) {
            first.accept(machine);
            done.set(true);
          }
          return attempt.apply(machine);
        },
        giveUp,
        most);
  }

  /** The answer without waiting. */
  public T now(M machine) {
    return attempt.apply(machine).orElseGet(() -> giveUp.apply(machine));
  }
}
