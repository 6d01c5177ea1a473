package io.hypercalld.api.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The sample device models, each a process of its own that asks a launched daemon. */
final class ExampleModelsIT {
  private static final String JAVA =
      Path.of(System.getProperty("java.home"), "bin", "java").toString();

  private static LaunchedDaemon daemon;
  private static String url;
  private static HttpClient client;

  @BeforeAll
  static void start() throws Exception {
    client = HttpClient.newHttpClient();
    daemon = LaunchedDaemon.start();
    url = daemon.url().toString();
  }

  @AfterAll
  static void stop() {
    client.close();
    daemon.close();
  }

  @BeforeEach
  void create() throws Exception {
    assertThat(post("/v1/domains", "{\"memory\":\"4MiB\",\"vcpus\":2}", 0))
        .contains("\"domid\":1,");
  }

  @AfterEach
  void destroy() throws Exception {
    send("DELETE", "/v1/domains/1", "");
    assertThat(get("/_sim/invariants")).contains("\"violations\":[]");
  }

  @Test
  void uart_bytesThatTheGuestSends_arePrinted() throws Exception {
    Process uart = run("sh", example("uart.sh"), url, "1", "2");
    awaitServer();

    assertThat(io("{\"port\":\"0x3fd\",\"op\":\"in\",\"size\":1}")).contains("\"data\":\"0x60\"");
    io("{\"port\":\"0x3f8\",\"op\":\"out\",\"size\":1,\"data\":\"0x48\"}");
    io("{\"port\":\"0x3f8\",\"op\":\"out\",\"size\":1,\"data\":\"0x69\"}");

    assertThat(uart.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(uart.inputReader().readLine()).isEqualTo("Hi");
    assertThat(get("/v1/domains/1/ioreq-servers")).contains("\"items\":[]");
  }

  @Test
  void uart_string_isPrintedInTheGuestsOrder() throws Exception {
    Process uart = run("sh", example("uart.sh"), url, "1", "4");
    awaitServer();
    send("PUT", "/v1/domains/1/memory?gpa=0x3ffe", "{\"data\":\"48696948\"}");

    io("{\"port\":\"0x3f8\",\"op\":\"out\",\"size\":1,\"count\":2,\"ram\":\"0x3ffe\"}");
    io("{\"port\":\"0x3f8\",\"op\":\"out\",\"size\":1,\"count\":2,\"ram\":\"0x4001\",\"df\":true}");

    assertThat(uart.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(uart.inputReader().readLine()).isEqualTo("HiHi");
  }

  @Test
  void uart_killedWithARequestUnanswered_isReplacedByOneThatAnswersIt() throws Exception {
    Process uart = run("sh", example("uart.sh"), url, "1");
    awaitServer();
    // It is told of the byte and dies before it prints or answers.
    stop(uart);
    String letter = "{\"port\":\"0x3f8\",\"op\":\"out\",\"size\":1,\"data\":\"0x48\"}";
    assertThat(post("/v1/domains/1/vcpus/0/io", letter, 0)).contains("\"outcome\":\"pending\"");
    assertThat(get("/v1/domains/1/vcpus")).contains("\"state\":\"waiting\",\"server\":0");
    uart.descendants().forEach(ProcessHandle::destroyForcibly);
    uart.destroyForcibly().waitFor();

    Process successor = run("sh", example("uart.sh"), url, "1", "1", "0");
    assertThat(successor.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(successor.inputReader().readLine()).isEqualTo("H");
    assertThat(get("/v1/domains/1/vcpus")).doesNotContain("waiting");
  }

  @Test
  void framebuffer_pagesThatTheGuestWrote_areFound() throws Exception {
    Process display = run("python3", example("framebuffer.py"), url, "1", "0x10", "4", "3");
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

  @Test
  void framebuffer_killedWhileTheGuestWrites_successorFindsWhatWasWritten() throws Exception {
    Process display = run("python3", example("framebuffer.py"), url, "1", "0x10", "4", "9");
    assertThat(display.inputReader().readLine().split(" ")).hasSize(4);
    stop(display);
    assertThat(write(0x13000, 4, 1)).contains("\"outcome\":\"done\"");
    display.destroyForcibly().waitFor();
    assertThat(write(0x11000, 4, 1)).contains("\"outcome\":\"done\"");

    Process successor = run("python3", example("framebuffer.py"), url, "1", "0x10", "4", "1");
    assertThat(successor.inputReader().readLine()).matches("1:[0-9a-f]{8} 3:[0-9a-f]{8}");
    successor.destroyForcibly().waitFor();
  }

  @Test
  void gpu_guestsPageTable_isShadowedWriteByWrite() throws Exception {
    write(0x40008, 8, 0x12001);
    Process gpu = gpu("0x40", "2");
    BufferedReader lines = gpu.inputReader();
    assertThat(lines.readLine()).isEqualTo("ready 0");
    assertThat(lines.readLine()).isEqualTo("1 " + frame(0x12));

    assertThat(write(0x40010, 8, 0x13001)).contains("\"outcome\":\"emulated\"");
    assertThat(lines.readLine()).isEqualTo("2 " + frame(0x13));
    assertThat(write(0x40014, 4, 0)).contains("\"outcome\":\"emulated\"");
    assertThat(lines.readLine()).isEqualTo("2 " + frame(0x13));
    assertThat(write(0x40008, 1, 0)).contains("\"outcome\":\"emulated\"");
    assertThat(lines.readLine()).isEqualTo("1 -");
    assertThat(get("/v1/domains/1/memory?gpa=0x40008&length=16"))
        .contains("\"data\":\"00200100000000000130010000000000\"");
    gpu.destroyForcibly().waitFor();
  }

  @Test
  void gpu_repeatedStore_isEveryElement() throws Exception {
    Process gpu = gpu("0x40", "1");
    BufferedReader lines = gpu.inputReader();
    assertThat(lines.readLine()).isEqualTo("ready 0");

    post(
        "/v1/domains/1/vcpus/0/access",
        "{\"gpa\":\"0x40000\",\"op\":\"write\",\"size\":8,\"data\":\"0x14001\",\"count\":3}",
        30);
    for (int entry = 0; entry < 3; entry++) {
      assertThat(lines.readLine()).isEqualTo(entry + " " + frame(0x14));
    }
    gpu.destroyForcibly().waitFor();
  }

  @Test
  void gpu_killedWithARequestUnanswered_isReplacedByOneThatAnswersIt() throws Exception {
    Process gpu = gpu("0x40", "1");
    assertThat(gpu.inputReader().readLine()).isEqualTo("ready 0");
    // It is told of the write and dies before it answers.
    stop(gpu);

    String pending =
        post(
            "/v1/domains/1/vcpus/0/access",
            "{\"gpa\":\"0x40000\",\"op\":\"write\",\"size\":8,\"data\":\"0x15001\"}",
            0);
    assertThat(pending).contains("\"outcome\":\"pending\"");
    assertThat(get("/v1/domains/1/vcpus")).contains("\"state\":\"waiting\",\"server\":0");
    gpu.destroyForcibly().waitFor();
    Process successor = gpu("0x40", "1", "0");
    BufferedReader lines = successor.inputReader();
    assertThat(lines.readLine()).isEqualTo("ready 0");
    assertThat(lines.readLine()).isEqualTo("0 " + frame(0x15));

    assertThat(write(0x40000, 8, 0x15001)).contains("\"outcome\":\"emulated\"");
    assertThat(get("/v1/domains/1/memory?gpa=0x40000&length=8"))
        .contains("\"data\":\"0150010000000000\"");
    successor.destroyForcibly().waitFor();
  }

  @Test
  void gpu_killedWhereThePolicyPauses_pausesTheDomain_andOthersGoOn() throws Exception {
    abandoned("pause");

    assertThat(get("/v1/domains/1")).contains("\"state\":\"paused\"");
    assertThat(get("/v1/domains/1/vcpus")).contains("\"ageNanos\":1000000000,\"overdue\":true");
    assertThat(
            post(
                "/v1/domains/1/vcpus/1/access",
                "{\"gpa\":\"0x1000\",\"op\":\"read\",\"size\":8}",
                0))
        .contains("\"outcome\":\"done\"");
    Process successor = gpu("0x40", "1", "0");
    assertThat(successor.inputReader().readLine()).isEqualTo("ready 0");
    assertThat(write(0x40000, 8, 0x15001)).contains("\"outcome\":\"emulated\"");
    successor.destroyForcibly().waitFor();
  }

  @Test
  void gpu_killedWhereThePolicyCrashes_endsTheDomain() throws Exception {
    abandoned("crash");

    assertThat(get("/v1/domains/1")).contains("\"state\":\"shutdown\"");
    assertThat(get("/v1/domains/1/ioreq-servers/0/requests")).contains("\"items\":[]");
  }

  /** A second passes with a write unanswered. */
  private void abandoned(String action) throws Exception {
    post("/v1/domains/1/actions/unpause", "", 0);
    send(
        "PUT",
        "/v1/domains/1/ioreq-timeout",
        "{\"afterNanos\":1000000000,\"action\":\"%s\"}".formatted(action));
    Process gpu = gpu("0x40", "1");
    assertThat(gpu.inputReader().readLine()).isEqualTo("ready 0");
    gpu.destroyForcibly().waitFor();
    post(
        "/v1/domains/1/vcpus/0/access",
        "{\"gpa\":\"0x40000\",\"op\":\"write\",\"size\":8,\"data\":\"0x15001\"}",
        0);
    assertThat(post("/_sim/clock", "{\"advanceNanos\":1000000000}", 0)).contains("nowNanos");
  }

  private Process gpu(String... pagesAndServer) throws IOException {
    List<String> command = new ArrayList<>(List.of(JAVA, example("Gpu.java"), url, "1"));
    command.addAll(List.of(pagesAndServer));
    return run(command.toArray(String[]::new));
  }

  private String write(long gpa, int size, long data) throws Exception {
    return post(
        "/v1/domains/1/vcpus/0/access",
        "{\"gpa\":\"0x%x\",\"op\":\"write\",\"size\":%d,\"data\":\"0x%x\"}"
            .formatted(gpa, size, data),
        60);
  }

  /** The frame of the machine behind one of the guest's. */
  private String frame(long gfn) throws Exception {
    Matcher mfn =
        Pattern.compile("\"mfn\":\"([^\"]+)\"")
            .matcher(get("/v1/domains/1/p2m/0x%x".formatted(gfn)));
    assertThat(mfn.find()).isTrue();
    return mfn.group(1);
  }

  /** Halts it where it is, as if it hung. */
  private static void stop(Process process) throws Exception {
    assertThat(run("kill", "-STOP", Long.toString(process.pid())).waitFor()).isZero();
  }

  private static void goOn(Process process) throws IOException {
    process.outputWriter().write("\n");
    process.outputWriter().flush();
  }

  /** The server's page is there before it takes requests, so to be listed is to be ready. */
  private void awaitServer() {
    await()
        .atMost(1, TimeUnit.MINUTES)
        .until(() -> !get("/v1/domains/1/ioreq-servers").contains("\"items\":[]"));
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
        .send(HttpRequest.newBuilder(URI.create(url + path)).build(), BodyHandlers.ofString())
        .body();
  }

  private String send(String method, String path, String body) throws Exception {
    return client
        .send(
            HttpRequest.newBuilder(URI.create(url + path))
                .method(method, HttpRequest.BodyPublishers.ofString(body))
                .build(),
            BodyHandlers.ofString())
        .body();
  }

  private String post(String path, String body, int waitSeconds) throws Exception {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(url + path))
            .POST(HttpRequest.BodyPublishers.ofString(body));
    if (waitSeconds > 0) {
      request.header("Prefer", "wait=" + waitSeconds);
    }
    return client.send(request.build(), BodyHandlers.ofString()).body();
  }
}
