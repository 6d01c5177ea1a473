package io.hypercalld.api.bench;

import io.hypercalld.api.RunningDaemon;
import io.hypercalld.api.cli.StartOptions;
import io.hypercalld.api.platform.PlatformSource;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.WebSocket;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * Requests to an emulator on a WebSocket over loopback, from the guest's instruction to its end: a
 * domain of 128 vCPUs executes a program of 8,192 reads that one request brings, and an emulator in
 * the JDK's WebSocket answers each. The daemon, the guest's driver and the emulator share the
 * machine.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class StreamBenchmark {
  private static final int VCPUS = 128;
  private static final int EACH = 64;

  private RunningDaemon daemon;
  private HttpClient client;
  private HttpRequest program;
  private WebSocket emulator;

  @Setup(Level.Trial)
  public void start() throws Exception {
    daemon =
        RunningDaemon.start(
            StartOptions.parse(List.of("--port", "0"), Map.of()).settings(),
            PlatformSource.named("two-socket").load().platform());
    client = HttpClient.newHttpClient();
    post("/v1/domains", "{\"memory\":\"4MiB\",\"vcpus\":%d}".formatted(VCPUS));
    post(
        "/v1/domains/1/ioreq-servers",
        "{\"ranges\":[{\"type\":\"memory\",\"start\":\"0xf0000000\",\"end\":\"0xf0000fff\"}]}");
    String stream =
        daemon.url().replaceFirst("^http", "ws") + "/v1/domains/1/ioreq-servers/0/stream";
    emulator = client.newWebSocketBuilder().buildAsync(URI.create(stream), new Emulator()).join();
    program = request("/v1/domains/1/accesses", "{\"accesses\":[" + reads() + "]}");
  }

  private static String reads() {
    StringBuilder reads = new StringBuilder();
    for (int i = 0; i < EACH * VCPUS; i++) {
      reads
          .append(i == 0 ? "" : ",")
          .append(
              "{\"vcpu\":%d,\"op\":\"read\",\"gpa\":\"0xf0000%03x\",\"size\":4}"
                  .formatted(i % VCPUS, i / VCPUS * 8));
    }
    return reads.toString();
  }

  @TearDown(Level.Trial)
  public void stop() {
    emulator.abort();
    client.close();
    daemon.close();
  }

  @Benchmark
  @OperationsPerInvocation(EACH * VCPUS)
  public int requestOverLoopback() throws Exception {
    String answer = client.send(program, BodyHandlers.ofString()).body();
    if (!answer.startsWith("{\"finished\":" + EACH * VCPUS + ",")) {
      throw new IllegalStateException(answer.substring(0, Math.min(answer.length(), 1000)));
    }
    return answer.length();
  }

  private void post(String path, String body) throws Exception {
    int status = client.send(request(path, body), BodyHandlers.discarding()).statusCode();
    if (status >= 300) {
      throw new IllegalStateException(path + " answers " + status);
    }
  }

  private HttpRequest request(String path, String body) {
    return HttpRequest.newBuilder(URI.create(daemon.url() + path))
        .header("Prefer", "wait=60")
        .POST(HttpRequest.BodyPublishers.ofString(body))
        .build();
  }

  /** Answers every request of a message in one message. */
  private static final class Emulator implements WebSocket.Listener {
    private static final String ID = "{\"id\":";

    private final StringBuilder message = new StringBuilder();

    @Override
    public @Nullable CompletionStage<?> onText(WebSocket socket, CharSequence piece, boolean last) {
      message.append(piece);
      socket.request(1);
      if (!last) {
        return null;
      }
      StringBuilder answer = new StringBuilder("{\"responses\":[");
      for (int at = message.indexOf(ID); at >= 0; at = message.indexOf(ID, at + 1)) {
        int from = at + ID.length();
        answer
            .append(answer.charAt(answer.length() - 1) == '[' ? "" : ",")
            .append("{\"rid\":")
            .append(message, from, message.indexOf(",", from))
            .append(",\"data\":\"0x2a\"}");
      }
      message.setLength(0);
      return socket.sendText(answer.append("]}"), true);
    }
  }
}
