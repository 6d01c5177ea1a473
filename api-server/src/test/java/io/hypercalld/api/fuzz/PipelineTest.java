package io.hypercalld.api.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.api.RunningDaemon;
import io.hypercalld.api.cli.StartOptions;
import io.hypercalld.api.fuzz.RawClient.Answer;
import io.hypercalld.api.platform.PlatformSource;
import java.io.IOException;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What is sent behind something is done behind it, whoever does it. */
final class PipelineTest {
  private static String request(String method, String path, String body) {
    return "%s %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s"
        .formatted(method, path, body.length(), body);
  }

  private static List<Integer> statuses(RawClient client, String... requests) throws IOException {
    return client.exchange(Stream.of(requests).map(Probe::of).toList()).stream()
        .map(List::getFirst)
        .map(Answer::status)
        .toList();
  }

  @Test
  void machine_isThereForWhatFollowsItsMaking_andGoneForWhatFollowsItsEnd() throws IOException {
    String make = request("POST", "/v1/machines", "{\"name\":\"lab\"}");
    String ask = request("GET", "/v1/machines/lab/domains/0", "");
    String populate = request("POST", "/v1/machines/lab/domains", "{\"memory\":\"4MiB\"}");
    String end = request("DELETE", "/v1/machines/lab", "");
    try (RunningDaemon daemon = start();
        RawClient client = new RawClient(URI.create(daemon.url()))) {
      for (int round = 0; round < 5; round++) {
        assertThat(statuses(client, make, ask, populate, make, end, ask, end, make, ask, end))
            .containsExactly(201, 200, 201, 409, 204, 404, 404, 201, 200, 204);
      }
    }
  }

  @Test
  void key_behindAReset_belongsToNobody() throws IOException {
    try (RunningDaemon daemon = start();
        RawClient client = new RawClient(URI.create(daemon.url()))) {
      String reset = request("POST", "/_sim/reset", "");
      for (int round = 0; round < 20; round++) {
        String body = "{\"advanceNanos\":%d}".formatted(round);
        String keyed =
            request("POST", "/_sim/clock", body).replace("Host", "Idempotency-Key: a\r\nHost");

        assertThat(statuses(client, keyed, reset)).containsOnly(200);
      }
    }
  }

  private static RunningDaemon start() {
    return RunningDaemon.start(
        StartOptions.parse(List.of("--port", "0"), Map.of()).settings(),
        PlatformSource.named("four-nics").load());
  }

  @Test
  void replay_isDoneBeforeWhatFollowsIt() throws IOException {
    try (RunningDaemon daemon = start();
        RawClient client = new RawClient(URI.create(daemon.url()))) {
      // Whatever is sent behind a journal would have to wait for it to be read.
      String journal = journal(daemon);
      String domain = request("POST", "/v1/domains", "{\"memory\":\"4MiB\"}");
      String ask = request("GET", "/v1/domains/1", "");

      assertThat(statuses(client, domain, ask, request("POST", "/_sim/replay", journal), ask))
          .containsExactly(201, 200, 200, 404);
    }
  }

  private static String journal(RunningDaemon daemon) throws IOException {
    try (var in = URI.create(daemon.url() + "/_sim/journal").toURL().openStream()) {
      return new String(in.readAllBytes(), java.nio.charset.StandardCharsets.ISO_8859_1);
    }
  }
}
