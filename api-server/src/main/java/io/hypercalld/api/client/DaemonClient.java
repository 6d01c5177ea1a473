package io.hypercalld.api.client;

import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Asks one daemon. Confined to the command's thread.
 *
 * @param base before every path: where one machine of several is served
 * @param token presented with every request
 * @param timeout for a whole exchange; not for a stream that has begun
 * @param trace takes the curl that is equivalent to each request
 */
record DaemonClient(
    Endpoint endpoint,
    String base,
    Optional<String> token,
    Duration timeout,
    Consumer<String> trace) {

  /** What came back, all of it. */
  record Reply(int status, String mediaType, String text) {}

  /** What is done with a stream while it comes. */
  interface Listener {
    void read(HttpAnswer answer, InputStream lines) throws IOException;
  }

  /**
   * Asks and waits for the whole answer.
   *
   * @throws CommandFailure UNREACHABLE
   */
  Reply ask(HttpCall call) {
    HttpCall signed = signed(call);
    trace.accept(signed.curl(endpoint));
    try (Connection connection = endpoint.connect(timeout)) {
      CompletableFuture<Void> patience = closing(connection);
      try {
        HttpAnswer answer = send(signed, connection);
        return new Reply(answer.status(), answer.mediaType(), answer.text());
      } catch (IOException e) {
        throw patience.isDone() ? late() : e;
      } finally {
        patience.cancel(false);
      }
    } catch (IOException e) {
      throw unreachable(e);
    }
  }

  /**
   * Asks, and hands the answer on while it comes, however long that takes.
   *
   * @throws CommandFailure UNREACHABLE
   */
  void stream(HttpCall call, Listener listener) {
    HttpCall signed = signed(call);
    trace.accept(signed.curl(endpoint));
    try (Connection connection = endpoint.connect(timeout)) {
      HttpAnswer answer = send(signed, connection);
      listener.read(answer, answer.body());
    } catch (IOException e) {
      throw unreachable(e);
    }
  }

  private HttpCall signed(HttpCall call) {
    HttpCall based = call.under(base);
    return token.map(secret -> based.with("Authorization", "Bearer " + secret)).orElse(based);
  }

  private HttpAnswer send(HttpCall call, Connection connection) throws IOException {
    String url = endpoint.url();
    connection.out().write(call.encoded(url.substring(url.indexOf("//") + 2)));
    connection.out().flush();
    return HttpAnswer.read(connection.in());
  }

  /** A connection knows no time: closing it ends the read that waits on it. */
  private CompletableFuture<Void> closing(Connection connection) {
    CompletableFuture<Void> patience = new CompletableFuture<>();
    patience.completeOnTimeout(null, timeout.toMillis(), TimeUnit.MILLISECONDS);
    var unused =
        patience.thenRun(
            () -> {
              try {
                connection.close();
              } catch (IOException e) {
                // Nothing waits on what is closed already.
              }
            });
    return patience;
  }

  private IOException late() {
    return new IOException("no answer within " + timeout.toMillis() + " ms");
  }

  private CommandFailure unreachable(IOException e) {
    return CommandFailure.of(
        Exit.UNREACHABLE,
        "%s cannot be asked: %s",
        endpoint.name(),
        String.valueOf(e.getMessage()));
  }
}
