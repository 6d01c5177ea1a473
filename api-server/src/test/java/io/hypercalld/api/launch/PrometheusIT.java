package io.hypercalld.api.launch;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Prometheus itself judges the metrics; without its package these tests are skipped. */
final class PrometheusIT {
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  @TempDir private Path scratch;

  @Test
  void metrics_promtoolCheck_passes() throws Exception {
    requireTool("promtool");
    try (LaunchedDaemon daemon = LaunchedDaemon.start()) {
      Path metrics = Files.writeString(scratch.resolve("metrics"), daemon.get("/metrics").body());

      Process check =
          new ProcessBuilder("promtool", "check", "metrics")
              .redirectInput(metrics.toFile())
              .redirectErrorStream(true)
              .start();
      String complaints = new String(check.getInputStream().readAllBytes(), UTF_8);

      assertThat(complaints).isEmpty();
      assertThat(check.waitFor()).isZero();
    }
  }

  @Test
  void metrics_realPrometheus_scrapesThem() throws Exception {
    requireTool("prometheus");
    try (LaunchedDaemon daemon = LaunchedDaemon.start()) {
      int port = freePort();
      Process prometheus = prometheus(daemon.url(), port);
      try {
        assertThat(firstAnswer(port, "hv_build_info")).contains("\"__name__\":\"hv_build_info\"");
        assertThat(firstAnswer(port, "up")).contains("\"job\":\"hypercalld\"").contains("\"1\"]");
      } finally {
        prometheus.destroyForcibly().waitFor();
      }
    }
  }

  private Process prometheus(URI target, int port) throws IOException {
    Path configuration =
        Files.writeString(
            scratch.resolve("prometheus.yml"),
            """
            global: {scrape_interval: 1s}
            scrape_configs:
              - job_name: hypercalld
                static_configs: [{targets: ["%s"]}]
            """
                .formatted(target.getAuthority()));
    return new ProcessBuilder(
            "prometheus",
            "--config.file=" + configuration,
            "--storage.tsdb.path=" + scratch.resolve("data"),
            "--web.listen-address=127.0.0.1:" + port)
        .redirectErrorStream(true)
        .redirectOutput(scratch.resolve("prometheus.log").toFile())
        .start();
  }

  /** What Prometheus answers to a query as soon as the answer is not empty. */
  private static String firstAnswer(int port, String query) {
    URI uri = URI.create("http://127.0.0.1:" + port + "/api/v1/query?query=" + query);
    try (HttpClient client = HttpClient.newHttpClient()) {
      return await()
          .atMost(PATIENCE)
          .until(() -> ask(client, uri), answer -> answer.contains("\"metric\":"));
    }
  }

  private static String ask(HttpClient client, URI uri) throws InterruptedException {
    try {
      return client.send(HttpRequest.newBuilder(uri).build(), BodyHandlers.ofString()).body();
    } catch (IOException e) {
      return "not yet listening: " + e.getMessage();
    }
  }

  private static void requireTool(String name) {
    boolean installed =
        Arrays.stream(System.getenv("PATH").split(":"))
            .anyMatch(directory -> Files.isExecutable(Path.of(directory, name)));
    assumeTrue(installed, name + " is not installed (Debian: the package prometheus)");
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }
}
