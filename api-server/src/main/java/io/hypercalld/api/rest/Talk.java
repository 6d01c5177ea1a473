package io.hypercalld.api.rest;

import io.hypercalld.api.json.Shapes;
import io.hypercalld.api.machine.Machine;
import io.hypercalld.api.machine.MachineThread;
import io.hypercalld.api.machine.Wait;
import io.hypercalld.api.rest.Conversation.Objection;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.Function;

/**
 * A conversation under way. Thread-safe.
 *
 * <p>One message is on its way out at a time, and one in: whoever reads slowly is told less often
 * of more, and whoever writes fast is not read from meanwhile.
 */
public final class Talk {
  /** RFC 6455: the other side asked for what there is not. */
  private static final int POLICY_VIOLATION = 1008;

  private final MachineThread<Machine, ?> machine;
  private final Conversation conversation;
  private final Peer peer;
  private final Executor encoding;
  private final String id;
  private volatile boolean closed;

  /** Who is talked with. */
  public interface Peer {
    /** Sends a message; completed once it is out of the way. */
    CompletableFuture<?> send(byte[] message);

    /** Says good-bye. */
    void close(int code, String reason);
  }

  Talk(
      MachineThread<Machine, ?> machine,
      Conversation conversation,
      Peer peer,
      Executor encoding,
      String id) {
    this.machine = machine;
    this.conversation = conversation;
    this.peer = peer;
    this.encoding = encoding;
    this.id = id;
  }

  /** Has it begin. */
  public void begin() {
    if (!closed) {
      var unused =
          await()
              .whenCompleteAsync(
                  (message, failure) -> {
                    if (failure != null) {
                      end(failure);
                    } else {
                      say(message);
                    }
                  },
                  encoding);
    }
  }

  private CompletableFuture<Optional<Object>> await() {
    Wait<Machine, Optional<Object>> next = conversation.next();
    try {
      return machine.await(
          new Wait<>(
              // Nobody is told any more what nobody hears: it is told whoever comes next.
              it -> closed ? Optional.of(Optional.empty()) : next.attempt().apply(it),
              next.giveUp(),
              next.most()));
    } catch (RuntimeException e) {
      return CompletableFuture.failedFuture(e);
    }
  }

  private void say(Optional<Object> message) {
    if (message.isEmpty()) {
      begin();
      return;
    }
    var unused =
        peer.send(Shapes.RESOURCES.encode(message.get()))
            .whenComplete(
                (_, failure) -> {
                  if (failure == null) {
                    begin();
                  }
                });
  }

  /**
   * Takes a message.
   *
   * @return completed once it has had its effect, and what is wrong with it was said
   */
  public CompletableFuture<?> hear(byte[] message) {
    CompletableFuture<List<Objection>> heard;
    try {
      Function<Machine, List<Objection>> task = conversation.hear(message);
      heard = machine.submit(task);
    } catch (RuntimeException e) {
      heard = CompletableFuture.failedFuture(e);
    }
    return heard
        .exceptionally(
            failure -> List.of(new Objection(Optional.empty(), Thrown.failure(failure, id))))
        .thenComposeAsync(this::object, encoding);
  }

  private CompletableFuture<?> object(List<Objection> objections) {
    CompletableFuture<?> last = CompletableFuture.completedFuture(id);
    for (Objection objection : objections) {
      last = peer.send(objection.failure().problem().encodeAbout(objection.about(), id));
    }
    return last;
  }

  private void end(Throwable thrown) {
    Failure failure = Thrown.failure(thrown, id);
    var unused =
        object(List.of(new Objection(Optional.empty(), failure)))
            .whenComplete((_, _) -> peer.close(POLICY_VIOLATION, failure.problem().type().title()));
  }

  /** The other side is gone. */
  public void close() {
    closed = true;
  }
}
