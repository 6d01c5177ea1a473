package io.hypercalld.api;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The program as a process, ended while it has work to do. */
final class ProcessUnderLoadTest {
  private static final String CALL = "/v1/hypercalls/memory_op/current_reservation";

  @TempDir private Path scratch;
  private final HttpClient client = HttpClient.newHttpClient();
  private final AtomicInteger answered = new AtomicInteger();
  private Optional<Process> process = Optional.empty();

  @AfterEach
  void end() {
    client.shutdownNow();
    process.ifPresent(Process::destroyForcibly);
  }

  private URI start(String... options) throws IOException {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                "io.hypercalld.api.Daemon"));
    command.addAll(List.of(options));
    Process started =
        new ProcessBuilder(command).redirectError(scratch.resolve("stderr").toFile()).start();
    process = Optional.of(started);
    JsonNode ready = new ObjectMapper().readTree(started.inputReader().readLine());
    return URI.create(ready.at("/url").asText());
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
    loadWell(start("--port", "0"));

    long began = System.nanoTime();
    Process daemon = process.orElseThrow();
    daemon.toHandle().destroy();

    assertThat(daemon.waitFor(30, TimeUnit.SECONDS)).isTrue();
    assertThat(daemon.exitValue()).isZero();
    assertThat(TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began)).isLessThan(2000);
  }

  @Test
  void killed_underLoad_startsAgainAtTheSamePlaces() throws Exception {
    String socket = scratch.resolve("s").toString();
    URI url = start("--port", "0", "--unix-socket", socket);
    loadWell(url);
    process.orElseThrow().destroyForcibly().waitFor();

    URI again = start("--port", Integer.toString(url.getPort()), "--unix-socket", socket);

    HttpResponse<String> answer = client.send(request(again), BodyHandlers.ofString());
    assertThat(again).isEqualTo(url);
    assertThat(answer.statusCode()).isEqualTo(200);
  }
}
