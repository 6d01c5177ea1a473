package io.hypercalld.api.launch;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the launcher has started, ended while it has work to do. */
final class UnderLoadIT {
  private static final String CALL = "/v1/hypercalls/memory_op/current_reservation";

  @TempDir private Path scratch;
  private final HttpClient client = HttpClient.newHttpClient();
  private final AtomicInteger answered = new AtomicInteger();
  private Optional<LaunchedDaemon> daemon = Optional.empty();

  @AfterEach
  void end() {
    client.shutdownNow();
    daemon.ifPresent(LaunchedDaemon::close);
  }

  private LaunchedDaemon start(String... options) throws IOException {
    LaunchedDaemon started = LaunchedDaemon.logging(scratch.resolve("stderr"), options);
    daemon = Optional.of(started);
    return started;
  }

  private static HttpRequest request(URI url) {
    return HttpRequest.newBuilder(url.resolve(CALL))
        .header("X-Request-Id", "load")
        .POST(BodyPublishers.ofString("{\"domid\":0}"))
        .build();
  }

  /** Asks again whenever it is answered, until that fails. */
  private void load(URI url) {
    var unused =
        client
            .sendAsync(request(url), BodyHandlers.discarding())
            .thenAccept(
                answer -> {
                  answered.incrementAndGet();
                  if (answer.statusCode() == 200) {
                    load(url);
                  }
                });
  }

  private void loadWell(URI url) {
    for (int i = 0; i < 8; i++) {
      load(url);
    }
    Awaitility.await().atMost(30, TimeUnit.SECONDS).until(() -> answered.get() > 500);
  }

  @Test
  void terminated_underLoad_endsWithZeroWithinTwoSeconds() throws Exception {
    LaunchedDaemon started = start();
    loadWell(started.url());

    assertThat(started.stop(Duration.ofSeconds(2))).isZero();
  }

  @Test
  void killed_underLoad_startsAgainAtTheSamePlaces() throws Exception {
    String socket = scratch.resolve("s").toString();
    LaunchedDaemon first = start("--unix-socket", socket);
    loadWell(first.url());
    first.kill();

    String port = Integer.toString(first.url().getPort());
    LaunchedDaemon again = start("--port", port, "--unix-socket", socket);

    HttpResponse<String> answer = client.send(request(again.url()), BodyHandlers.ofString());
    assertThat(again.url()).isEqualTo(first.url());
    assertThat(answer.statusCode()).isEqualTo(200);
  }
}
