package io.hypercalld.api.launch;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** The launcher, from outside. */
final class LauncherIT {
  private static final Path HOME = LaunchedDaemon.home();
  private static final Pattern RESIDENT = Pattern.compile("VmRSS:\\s+(\\d+) kB");

  @TempDir private Path scratch;

  @Test
  void start_fromAnotherDirectoryThroughASymlink_becomesTheDaemon() throws Exception {
    Path link = Files.createSymbolicLink(scratch.resolve("hv"), HOME.resolve("hypercalld"));

    try (LaunchedDaemon daemon = LaunchedDaemon.start(link, scratch)) {
      assertThat(daemon.readyLine()).startsWith("{\"event\":\"ready\"");
      assertThat(daemon.readyLine()).contains("\"pid\":" + daemon.pid());
      assertThat(daemon.get("/v1").statusCode()).isEqualTo(200);
    }
  }

  @Test
  void start_whereThePathHasSpaces_works() throws Exception {
    Path copy = scratch.resolve("a machine room");
    for (String part :
        List.of(
            "hypercalld",
            "pom.xml",
            "api-server/src/main/launch",
            "api-server/target/hypercalld")) {
      copy(HOME.resolve(part), copy.resolve(part));
    }
    Path application = copy.resolve("api-server/target/hypercalld");
    Files.setLastModifiedTime(application, FileTime.from(Instant.now()));

    try (LaunchedDaemon daemon = LaunchedDaemon.start(copy.resolve("hypercalld"), scratch)) {
      assertThat(daemon.get("/v1").statusCode()).isEqualTo(200);
    }
  }

  @Test
  void terminate_readyDaemon_endsWithSuccessWithinTwoSeconds() throws Exception {
    try (LaunchedDaemon daemon = LaunchedDaemon.start()) {
      assertThat(daemon.stop(Duration.ofSeconds(2))).isZero();
    }
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void start_idleMachineOf64GiB_costsLessThan350MiB() throws Exception {
    try (LaunchedDaemon daemon = LaunchedDaemon.start("--memory", "64GiB")) {
      String status = Files.readString(Path.of("/proc/" + daemon.pid() + "/status"));
      long kibibytes =
          RESIDENT.matcher(status).results().mapToLong(r -> Long.parseLong(r.group(1))).sum();

      assertThat(kibibytes).isPositive().isLessThan(350 << 10);
    }
  }

  @Test
  void start_variableThatNamesNoJdk_saysSoInOneLine() throws Exception {
    var failure = fail(HOME.resolve("hypercalld"), Map.of("HYPERCALLD_JAVA_HOME", "/nowhere"));

    assertThat(failure)
        .isEqualTo("hypercalld: HYPERCALLD_JAVA_HOME=/nowhere is not a JDK 25 or newer\n");
  }

  @Test
  void start_neverBuiltAndWithoutMaven_saysWhatToInstallInOneLine() throws Exception {
    Path launcher = Files.copy(HOME.resolve("hypercalld"), scratch.resolve("hypercalld"));
    Path tools = Files.createDirectory(scratch.resolve("bin"));
    for (String tool : List.of("bash", "dirname", "readlink", "find")) {
      Files.createSymbolicLink(tools.resolve(tool), Path.of("/usr/bin", tool));
    }

    var failure =
        fail(
            launcher,
            Map.of(
                "PATH", tools.toString(), "HYPERCALLD_JAVA_HOME", System.getProperty("java.home")));

    assertThat(failure)
        .isEqualTo("hypercalld: the first start builds the daemon: install Maven 3.8 or newer\n");
  }

  /** What a start that exits with 1 says. */
  private static String fail(Path launcher, Map<String, String> environment)
      throws IOException, InterruptedException {
    var builder = new ProcessBuilder("/bin/bash", launcher.toString()).redirectErrorStream(true);
    builder.environment().putAll(environment);
    Process process = builder.start();
    String output = new String(process.getInputStream().readAllBytes(), UTF_8);
    assertThat(process.waitFor()).as(output).isEqualTo(1);
    return output;
  }

  private static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : (Iterable<Path>) files::iterator) {
        Path target = to.resolve(from.relativize(file).toString());
        Files.createDirectories(Files.isDirectory(file) ? target : target.getParent());
        if (Files.isRegularFile(file)) {
          Files.copy(file, target, StandardCopyOption.COPY_ATTRIBUTES);
        }
      }
    }
  }
}
