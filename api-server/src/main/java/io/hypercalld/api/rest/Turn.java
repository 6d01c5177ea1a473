package io.hypercalld.api.rest;

import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.Supplier;

/**
 * The order in which the requests of one connection are done: what is done apart from the machine's
 * queue is not overtaken by what was sent behind it. Confined to the connection's event loop.
 *
 * @see "RFC 9112 §9.3.2"
 */
public final class Turn {
  private final Executor loop;
  private final Queue<Runnable> waiting = new ArrayDeque<>();
  private boolean held;

  /** Nothing is being done; {@code loop} also encodes answers. */
  public Turn(Executor loop) {
    this.loop = loop;
  }

  Executor loop() {
    return loop;
  }

  /** Has work begin, after what holds it up. */
  <T> CompletableFuture<T> take(Supplier<CompletableFuture<T>> work) {
    if (!held && waiting.isEmpty()) {
      return work.get();
    }
    CompletableFuture<T> done = new CompletableFuture<>();
    waiting.add(
        () -> {
          var unused = work.get().whenComplete((result, thrown) -> settle(done, result, thrown));
        });
    return done;
  }

  private static <T> void settle(CompletableFuture<T> done, T result, Throwable thrown) {
    if (thrown == null) {
      done.complete(result);
    } else {
      done.completeExceptionally(thrown);
    }
  }

  /** Nothing else begins before this is done. */
  void hold(CompletableFuture<?> work) {
    held = true;
    var unused = work.whenCompleteAsync((_, _) -> goOn(), loop);
  }

  private void goOn() {
    held = false;
    while (!held && !waiting.isEmpty()) {
      waiting.remove().run();
    }
  }
}
