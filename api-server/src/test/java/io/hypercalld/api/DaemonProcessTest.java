package io.hypercalld.api;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The program as a process: what it prints, and how it ends. */
final class DaemonProcessTest {
  @TempDir Path directory;

  private Process start(String... arguments) throws IOException {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                "io.hypercalld.api.Daemon"));
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().keySet().removeIf(name -> name.startsWith("HV_"));
    builder.environment().remove("JAVA_TOOL_OPTIONS");
    return builder.redirectError(directory.resolve("stderr").toFile()).start();
  }

  private int exit(Process process) throws InterruptedException {
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    return process.exitValue();
  }

  private List<String> complaints() throws IOException {
    return Files.readAllLines(directory.resolve("stderr")).stream()
        .filter(line -> !line.startsWith("WARNING:"))
        .toList();
  }

  @Test
  void serve_untilTerminated_isReadyOnceAndEndsWithZero() throws Exception {
    Process process = start("--port", "0");
    try (BufferedReader out = process.inputReader(StandardCharsets.UTF_8);
        HttpClient client = HttpClient.newHttpClient()) {
      JsonNode ready = new ObjectMapper().readTree(out.readLine());
      String url = ready.at("/url").asText();
      int status =
          client
              .send(
                  HttpRequest.newBuilder(URI.create(url + "/v1")).build(),
                  BodyHandlers.discarding())
              .statusCode();
      long began = System.nanoTime();
      process.toHandle().destroy();

      assertThat(exit(process)).isZero();
      assertThat(TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began)).isLessThan(2000);
      assertThat(ready.fieldNames())
          .toIterable()
          .containsExactly("event", "url", "pid", "platform", "startupMs");
      assertThat(ready.at("/event").asText()).isEqualTo("ready");
      assertThat(ready.at("/pid").asLong()).isEqualTo(process.pid());
      assertThat(ready.at("/platform").asText()).isEqualTo("two-socket");
      assertThat(status).isEqualTo(200);
      assertThat(out.readLine()).isNull();
      assertThat(complaints()).isEmpty();
    }
  }

  @Test
  void terminated_beforeItIsReady_endsWithZeroAllTheSame() throws Exception {
    Path platform = directory.resolve("platform.yaml");
    assertThat(exit(new ProcessBuilder("mkfifo", platform.toString()).start())).isZero();
    int port;
    try (ServerSocket free = new ServerSocket(0)) {
      port = free.getLocalPort();
    }
    // Nobody ever writes what it is to be like.
    Process process = start("--port", Integer.toString(port), "--platform", platform.toString());
    Awaitility.await().atMost(60, TimeUnit.SECONDS).until(() -> isListening(port));

    process.toHandle().destroy();

    assertThat(exit(process)).isZero();
    assertThat(process.inputReader(StandardCharsets.UTF_8).readLine()).isNull();
    assertThat(complaints()).isEmpty();
  }

  private static boolean isListening(int port) {
    try (Socket asked = new Socket(InetAddress.getLoopbackAddress(), port)) {
      return asked.isConnected();
    } catch (IOException e) {
      return false;
    }
  }

  @Test
  void serve_onATakenPort_saysSoInOneLine() throws Exception {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      Process process = start("--port", Integer.toString(taken.getLocalPort()));

      assertThat(exit(process)).isEqualTo(1);
      assertThat(complaints())
          .singleElement()
          .asString()
          .startsWith("hypercalld: cannot listen on 127.0.0.1 port " + taken.getLocalPort());
    }
  }

  @Test
  void option_unknown_isOneLineAndTwo() throws Exception {
    Process process = start("--prot", "1");

    assertThat(exit(process)).isEqualTo(2);
    assertThat(complaints())
        .containsExactly("hypercalld: unknown option --prot, did you mean --port?");
  }

  @Test
  void table_thatIsNone_isOneLineAndTwo() throws Exception {
    Path table = Files.writeString(directory.resolve("dmar.bin"), "DMAR nonsense");
    Process process = start("--dmar", table.toString(), "--check-config");

    assertThat(exit(process)).isEqualTo(2);
    assertThat(complaints()).singleElement().asString().startsWith("hypercalld: " + table);
  }

  @Test
  void checkConfig_ofAGoodStart_saysOk() throws Exception {
    Process process = start("--check-config", "--memory", "16GiB");

    assertThat(exit(process)).isZero();
    assertThat(process.inputReader(StandardCharsets.UTF_8).readLine())
        .startsWith("ok: platform two-socket, 4 iommus");
  }

  @Test
  void printConfig_isYaml() throws Exception {
    Process process = start("--print-config", "--port", "0");

    assertThat(exit(process)).isZero();
    assertThat(process.inputReader(StandardCharsets.UTF_8).readLine()).isEqualTo("port: 0");
  }
}
