package io.hypercalld.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.hypercalld.api.cli.DaemonSettings;
import io.hypercalld.api.cli.StartOptions;
import io.hypercalld.api.platform.PlatformSource;
import io.hypercalld.api.platform.PlatformSource.LoadedPlatform;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is to be heard from a daemon that starts, and from one that ends. */
final class LifecycleTest {
  private final HttpClient client = HttpClient.newHttpClient();
  private final CountDownLatch gate = new CountDownLatch(1);

  @TempDir Path directory;

  @AfterEach
  void stop() {
    client.close();
  }

  private static DaemonSettings settings(String... options) {
    return StartOptions.parse(List.of(options), Map.of()).settings();
  }

  private static int freePort() throws IOException {
    try (ServerSocket probe = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return probe.getLocalPort();
    }
  }

  private HttpResponse<String> get(String url) throws IOException, InterruptedException {
    return client.send(HttpRequest.newBuilder(URI.create(url)).build(), BodyHandlers.ofString());
  }

  private LoadedPlatform loadedLate(CountDownLatch asked) {
    asked.countDown();
    await(gate);
    return PlatformSource.named("two-socket").load();
  }

  private static boolean await(CountDownLatch latch) {
    try {
      return latch.await(60, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void start_whileTheMachineBoots_isAliveAndNotReady() throws Exception {
    String url = "http://127.0.0.1:" + freePort();
    CountDownLatch asked = new CountDownLatch(1);
    DaemonSettings settings = settings("--port", Integer.toString(URI.create(url).getPort()));
    CompletableFuture<RunningDaemon> starting =
        CompletableFuture.supplyAsync(() -> RunningDaemon.start(settings, () -> loadedLate(asked)));
    await(asked);

    HttpResponse<String> live = get(url + "/health/live");
    HttpResponse<String> ready = get(url + "/health/ready");
    HttpResponse<String> other = get(url + "/v1/domains");
    gate.countDown();

    try (RunningDaemon daemon = starting.join()) {
      assertThat(live.statusCode()).isEqualTo(200);
      assertThat(live.body()).isEqualTo("{\"status\":\"UP\"}");
      for (HttpResponse<String> answer : List.of(ready, other)) {
        assertThat(answer.statusCode()).isEqualTo(503);
        assertThat(answer.body()).contains("\"type\":\"/problems/starting\"", "\"requestId\":\"");
        assertThat(answer.headers().firstValue("Retry-After")).contains("1");
        assertThat(answer.headers().firstValue("X-Request-Id")).isPresent();
      }
      assertThat(get(daemon.url() + "/health/ready").statusCode()).isEqualTo(200);
      assertThat(get(daemon.url() + "/health/live").body()).isEqualTo(live.body());
    }
  }

  @Test
  void start_ofWhatCannotBoot_leavesNeitherPortNorSocket() throws Exception {
    int port = freePort();
    Path socket = directory.resolve("hv.sock");
    DaemonSettings settings =
        settings("--port", Integer.toString(port), "--unix-socket", socket.toString());
    Supplier<LoadedPlatform> hopeless =
        () -> {
          throw Refusal.of(Errno.ENOMEM, "no such machine");
        };

    assertThatThrownBy(() -> RunningDaemon.start(settings, hopeless)).isInstanceOf(Refusal.class);

    assertThat(Files.exists(socket)).isFalse();
    assertThatThrownBy(() -> new Socket(InetAddress.getLoopbackAddress(), port).close())
        .isInstanceOf(IOException.class);
  }

  @Test
  void end_whileSomethingRuns_isNotReady_andTheRestIsAnswered() throws Exception {
    RunningDaemon daemon =
        RunningDaemon.start(settings("--port", "0"), PlatformSource.named("two-socket").load());
    CompletableFuture<Boolean> running = daemon.thread().submit(_ -> await(gate));
    CompletableFuture<HttpResponse<String>> asked =
        client.sendAsync(
            HttpRequest.newBuilder(URI.create(daemon.url() + "/v1/domains/0")).build(),
            BodyHandlers.ofString());
    while (daemon.thread().inFlight() < 2) {
      Thread.onSpinWait();
    }
    // Its connection is there before the daemon ends; later ones are not taken.
    assertThat(get(daemon.url() + "/health/ready").statusCode()).isEqualTo(200);
    CompletableFuture<Void> ending = CompletableFuture.runAsync(daemon::close);

    HttpResponse<String> ready = get(daemon.url() + "/health/ready");
    while (ready.statusCode() == 200) {
      ready = get(daemon.url() + "/health/ready");
    }
    int live = get(daemon.url() + "/health/live").statusCode();
    gate.countDown();

    assertThat(ready.statusCode()).isEqualTo(503);
    assertThat(ready.body()).contains("\"type\":\"/problems/draining\"");
    assertThat(live).isEqualTo(200);
    assertThat(running.join()).isTrue();
    assertThat(asked.join().statusCode()).isEqualTo(200);
    ending.join();
  }
}
