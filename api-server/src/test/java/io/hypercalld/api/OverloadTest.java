package io.hypercalld.api;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.api.cli.StartOptions;
import io.hypercalld.api.machine.MachineThread;
import io.hypercalld.api.platform.PlatformSource;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What callers see while the machine has more to do than it can queue. */
final class OverloadTest {
  private final CountDownLatch gate = new CountDownLatch(1);
  private final HttpClient client = HttpClient.newHttpClient();
  private final List<CompletableFuture<Boolean>> queued = new ArrayList<>();
  private RunningDaemon daemon;

  @BeforeEach
  void fillTheQueue() throws InterruptedException {
    StartOptions start = StartOptions.parse(List.of("--port", "0"), Map.of());
    daemon =
        RunningDaemon.start(start.settings(), PlatformSource.named("two-socket").load().platform());
    CountDownLatch entered = new CountDownLatch(1);
    queued.add(
        daemon
            .thread()
            .submit(
                machine -> {
                  entered.countDown();
                  return waitForTheGate();
                }));
    entered.await();
    for (int i = 0; i < MachineThread.DEFAULT_CAPACITY; i++) {
      queued.add(daemon.thread().submit(machine -> true));
    }
  }

  private boolean waitForTheGate() {
    try {
      gate.await();
      return true;
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @AfterEach
  void stop() {
    gate.countDown();
    queued.forEach(CompletableFuture::join);
    client.close();
    daemon.close();
  }

  private CompletableFuture<HttpResponse<String>> get(String path) {
    return client.sendAsync(
        HttpRequest.newBuilder(URI.create(daemon.url() + path)).build(), BodyHandlers.ofString());
  }

  @Test
  void request_whileTheQueueIsFull_isToldToComeBack() {
    HttpResponse<String> answer = get("/v1/domains").join();

    assertThat(answer.statusCode()).isEqualTo(503);
    assertThat(answer.headers().firstValue("Retry-After")).contains("1");
    assertThat(answer.body()).contains("\"type\":\"/problems/overloaded\"");
  }

  @Test
  void metricsAndHealth_whileTheMachineIsBusy_doNotWait() {
    assertThat(get("/health/live").join().statusCode()).isEqualTo(200);
    assertThat(get("/health/ready").join().statusCode()).isEqualTo(200);
    assertThat(get("/metrics").join().body()).contains("hv_commands_in_flight ");
  }

  @Test
  void request_afterTheRush_isServed() {
    gate.countDown();

    CompletableFuture<HttpResponse<String>> answer = get("/v1/domains");
    while (answer.join().statusCode() == 503) {
      answer = get("/v1/domains");
    }

    assertThat(answer.join().statusCode()).isEqualTo(200);
  }
}
