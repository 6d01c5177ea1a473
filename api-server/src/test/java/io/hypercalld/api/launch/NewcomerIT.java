package io.hypercalld.api.launch;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** What somebody does in the first five minutes: run it, curl it, command it, look at its pages. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class NewcomerIT {
  private static final Duration PATIENCE = Duration.ofSeconds(90);
  private static final Duration COMMAND_STARTS_WITHIN = Duration.ofMillis(500);
  private static final int TRIES = 7;

  @TempDir private Path scratch;
  private Optional<LaunchedDaemon> daemon = Optional.empty();

  @BeforeAll
  void run() throws IOException {
    daemon = Optional.of(LaunchedDaemon.start());
  }

  @AfterAll
  void stop() {
    daemon.ifPresent(LaunchedDaemon::close);
  }

  private String url() {
    return daemon.orElseThrow().url().toString();
  }

  /** Runs a program; what it prints. */
  private String run(String... command) throws IOException, InterruptedException {
    Path errors = scratch.resolve("errors");
    ProcessBuilder builder = new ProcessBuilder(command).redirectError(errors.toFile());
    builder.environment().put("HV_URL", url());
    builder.environment().put("HOME", scratch.toString());
    Process process = builder.start();
    String printed = new String(process.getInputStream().readAllBytes(), UTF_8);
    assertThat(process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).as(Files.readString(errors)).isZero();
    return printed;
  }

  private String hypercalld(String... words) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(LaunchedDaemon.home().resolve("hypercalld").toString());
    command.addAll(List.of(words));
    return run(command.toArray(String[]::new));
  }

  @Test
  void curlsAndCommands_tellTheSameStory() throws Exception {
    run("curl", "-sf", url() + "/v1/domains", "-d", "{\"name\":\"web\",\"memory\":\"64MiB\"}");
    run(
        "curl",
        "-sf",
        url() + "/v1/devices/03:10.0/assignment",
        "-X",
        "PUT",
        "-d",
        "{\"domain\":1}");
    String explained =
        run("curl", "-sf", url() + "/v1/explain/dma?sbdf=03:10.0&iova=0x3000&access=write");

    assertThat(explained).contains("\"verdict\":\"maps to 0x");
    assertThat(hypercalld("domain", "list", "-o", "name")).isEqualTo("0\n1\n");
    assertThat(hypercalld("device", "list", "--owner", "1")).contains("0000:03:10.0   0x020000");
    assertThat(hypercalld("xl", "pci-list", "web")).isEqualTo("Vdev Device\n04.0 0000:03:10.0\n");
    assertThat(hypercalld("explain", "dma", "03:10.0", "0x3000", "write"))
        .startsWith("verdict: maps to 0x");
  }

  @Test
  void command_withItsCache_startsFast() throws Exception {
    List<Duration> taken = new ArrayList<>();
    for (int i = 0; i < TRIES; i++) {
      long begin = System.nanoTime();
      hypercalld("machine", "show");
      taken.add(Duration.ofNanos(System.nanoTime() - begin));
    }

    assertThat(taken.stream().min(Comparator.naturalOrder()).orElseThrow())
        .isLessThan(COMMAND_STARTS_WITHIN);
  }

  @Test
  void completion_isAScriptThatBashUnderstands() throws Exception {
    Path script =
        Files.writeString(scratch.resolve("completion"), hypercalld("completion", "bash"));

    String completed =
        run(
            "bash",
            "-c",
            """
            source "$0"; COMP_WORDS=(hypercalld device a); COMP_CWORD=2; _complete_hypercalld
            echo "${COMPREPLY[@]}"
            """,
            script.toString());

    assertThat(completed.strip()).isEqualTo("assign");
  }

  @Test
  void pages_inABrowser_showTheirTags() throws Exception {
    String chromium =
        Arrays.stream(System.getenv("PATH").split(":", -1))
            .map(directory -> Path.of(directory, "chromium"))
            .filter(Files::isExecutable)
            .findFirst()
            .map(Path::toString)
            .orElse("");
    assumeTrue(!chromium.isEmpty(), "chromium is not installed (Debian: the package chromium)");

    String page =
        run(
            chromium,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--user-data-dir=" + scratch.resolve("profile"),
            "--virtual-time-budget=60000",
            "--dump-dom",
            url() + "/docs");

    assertThat(page).contains("data-tag=\"domains\"", "data-tag=\"iommus\"", "data-tag=\"domctl\"");
    assertThat(page).doesNotContain("Failed to load API definition");
  }
}
