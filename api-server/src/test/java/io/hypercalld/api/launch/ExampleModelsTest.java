package io.hypercalld.api.launch;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.api.RunningDaemon;
import io.hypercalld.api.cli.DaemonSettings;
import io.hypercalld.api.platform.PlatformSource;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The sample device models, each a process of its own that asks the daemon as anybody would. */
final class ExampleModelsTest {
  private final HttpClient client = HttpClient.newHttpClient();
  private RunningDaemon daemon;

  @BeforeEach
  void start() throws Exception {
    daemon =
        RunningDaemon.start(
            new DaemonSettings(
                new DaemonSettings.Listen("127.0.0.1", 0, Optional.empty()),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                DaemonSettings.Policies.usual(),
                true,
                DaemonSettings.LogFormat.TEXT),
            PlatformSource.named("two-socket").load().platform());
    assertThat(post("/v1/domains", "{\"memory\":\"4MiB\",\"vcpus\":2}", 0)).contains("\"domid\":1");
  }

  @AfterEach
  void stop() {
    daemon.close();
    client.close();
  }

  @Test
  void uart_bytesThatTheGuestSends_arePrinted() throws Exception {
    Process uart = run("sh", example("uart.sh"), daemon.url(), "1", "2");
    awaitServer();

    assertThat(io("{\"port\":\"0x3fd\",\"op\":\"in\",\"size\":1}")).contains("\"data\":\"0x60\"");
    io("{\"port\":\"0x3f8\",\"op\":\"out\",\"size\":1,\"data\":\"0x48\"}");
    io("{\"port\":\"0x3f8\",\"op\":\"out\",\"size\":1,\"data\":\"0x69\"}");

    assertThat(uart.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(uart.inputReader().readLine()).isEqualTo("Hi");
    assertThat(get("/v1/domains/1/ioreq-servers")).contains("\"items\":[]");
  }

  @Test
  void uart_killedWithARequestUnanswered_isReplacedWithoutLosingIt() throws Exception {
    Process uart = run("sh", example("uart.sh"), daemon.url(), "1");
    awaitServer();
    uart.descendants().forEach(ProcessHandle::destroyForcibly);
    uart.destroyForcibly().waitFor();

    String pending =
        post("/v1/domains/1/vcpus/0/io", "{\"port\":\"0x3fd\",\"op\":\"in\",\"size\":1}", 0);
    assertThat(pending).contains("\"outcome\":\"pending\"");
    assertThat(get("/v1/domains/1/ioreq-servers/0/requests?wait=30s"))
        .contains("\"address\":\"0x3fd\"");
    post("/v1/domains/1/ioreq-servers/0/requests/1/response", "{\"data\":\"0x60\"}", 0);

    assertThat(io("{\"port\":\"0x3fd\",\"op\":\"in\",\"size\":1}")).contains("\"data\":\"0x60\"");
  }

  @Test
  void framebuffer_pagesThatTheGuestWrote_areFound() throws Exception {
    Process display =
        run("python3", example("framebuffer.py"), daemon.url(), "1", "0x10", "4", "3");
    BufferedReader lines = display.inputReader();
    assertThat(lines.readLine().split(" ")).hasSize(4);

    post(
        "/v1/domains/1/vcpus/0/access",
        "{\"gpa\":\"0x12008\",\"op\":\"write\",\"size\":8,\"data\":\"0x7\"}",
        0);
    goOn(display);
    assertThat(lines.readLine()).matches("2:[0-9a-f]{8}");
    goOn(display);
    assertThat(lines.readLine()).isEmpty();
    goOn(display);
    assertThat(display.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(display.exitValue()).isZero();
  }

  private static void goOn(Process process) throws IOException {
    process.outputWriter().write("\n");
    process.outputWriter().flush();
  }

  /** The server's page is there before it takes requests, so to be listed is to be ready. */
  private void awaitServer() throws Exception {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    while (get("/v1/domains/1/ioreq-servers").contains("\"items\":[]")) {
      assertThat(System.nanoTime()).isLessThan(deadline);
      Thread.onSpinWait();
    }
  }

  private String io(String body) throws Exception {
    return post("/v1/domains/1/vcpus/0/io", body, 30);
  }

  private static String example(String name) {
    return Path.of("src", "examples", name).toString();
  }

  private static Process run(String... command) throws IOException {
    return new ProcessBuilder(List.of(command))
        .redirectError(ProcessBuilder.Redirect.INHERIT)
        .start();
  }

  private String get(String path) throws Exception {
    return client
        .send(
            HttpRequest.newBuilder(URI.create(daemon.url() + path)).build(),
            BodyHandlers.ofString())
        .body();
  }

  private String post(String path, String body, int waitSeconds) throws Exception {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(daemon.url() + path))
            .POST(HttpRequest.BodyPublishers.ofString(body));
    if (waitSeconds > 0) {
      request.header("Prefer", "wait=" + waitSeconds);
    }
    return client.send(request.build(), BodyHandlers.ofString()).body();
  }
}
