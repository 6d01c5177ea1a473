package io.hypercalld.api.launch;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Somebody else's Maven project, which uses what this build has made: tests with machines from the
 * fixtures, and a program with the libraries alone.
 */
final class OutsideProjectIT {
  private static final Path HOME = LaunchedDaemon.home();
  private static final Path EXAMPLE = HOME.resolve("api-server/src/test/resources/outside");
  private static final Path REPOSITORY =
      Path.of(System.getProperty("user.home"), ".m2", "repository");
  private static final String VERSION = "0.1.0";

  @TempDir private Path scratch;

  @Test
  void project_withTheFixturesAndTheLibraries_testsAndRuns() throws Exception {
    assumeTrue(Files.isDirectory(REPOSITORY), "Maven keeps its repository elsewhere");
    Path project = scratch.resolve("outside");
    copy(EXAMPLE, project);
    Path repository = repository();

    String tested = run(project, "mvn", "-o", "-B", "-Dmaven.repo.local=" + repository, "test");
    String said =
        run(
            project,
            java(),
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            project.resolve("target/classes") + File.pathSeparator + libraries(),
            "example.Embedded");

    assertThat(tested).contains("Tests run: 2, Failures: 0, Errors: 0, Skipped: 0");
    assertThat(said.lines())
        .containsExactly(
            "of dom0: DONE", "of a guest: DONE", "beyond its memory: BLOCKED", "port: 0x41");
  }

  private static String java() {
    return Path.of(System.getProperty("java.home"), "bin", "java").toString();
  }

  /** The user's repository, and in it, as if they had been installed, this build's artefacts. */
  private Path repository() throws IOException {
    Path repository = scratch.resolve("repository");
    link(REPOSITORY, repository, "io");
    link(REPOSITORY.resolve("io"), repository.resolve("io"), "hypercalld");
    install(repository, "hypercalld", HOME.resolve("pom.xml"), "pom");
    for (String module : List.of("hypervisor-core", "iommu", "ioreq")) {
      install(repository, module, HOME.resolve(module).resolve("pom.xml"), "pom");
      install(repository, module, jar(module), "jar");
    }
    Path server = HOME.resolve("api-server");
    install(repository, "api-server", server.resolve("pom.xml"), "pom");
    install(repository, "api-server", server.resolve("target/hypercalld/hypercalld.jar"), "jar");
    Files.copy(
        server.resolve("target/hypercalld-test-fixtures.jar"),
        place(repository, "api-server", "-test-fixtures.jar"));
    return repository;
  }

  private static void link(Path from, Path to, String butFor) throws IOException {
    Files.createDirectories(to);
    try (Stream<Path> entries = Files.list(from)) {
      for (Path entry : (Iterable<Path>) entries::iterator) {
        if (!entry.getFileName().toString().equals(butFor)) {
          Files.createSymbolicLink(to.resolve(entry.getFileName()), entry);
        }
      }
    }
  }

  private static void install(Path repository, String artifact, Path file, String type)
      throws IOException {
    Path place = place(repository, artifact, "." + type);
    Files.createDirectories(place.getParent());
    Files.copy(file, place);
  }

  private static Path place(Path repository, String artifact, String end) {
    return repository
        .resolve("io/hypercalld")
        .resolve(artifact)
        .resolve(VERSION)
        .resolve(artifact + "-" + VERSION + end);
  }

  private static Path jar(String module) {
    return HOME.resolve(module).resolve("target/%s-%s.jar".formatted(module, VERSION));
  }

  /** The three libraries and what they need: neither a server nor a framework. */
  private static String libraries() throws IOException {
    try (Stream<Path> jars = Files.list(HOME.resolve("api-server/target/hypercalld/lib"))) {
      return jars.map(Path::toString)
          .filter(jar -> jar.matches(".*/(hypervisor-core|iommu|ioreq|agrona|jspecify)-[^/]*"))
          .collect(Collectors.joining(File.pathSeparator));
    }
  }

  private static String run(Path directory, String... command)
      throws IOException, InterruptedException {
    ProcessBuilder builder =
        new ProcessBuilder(command).directory(directory.toFile()).redirectErrorStream(true);
    builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
    builder.environment().remove("MAVEN_OPTS");
    Process process = builder.start();
    String said = new String(process.getInputStream().readAllBytes(), UTF_8);
    assertThat(process.waitFor()).as(said).isZero();
    return said;
  }

  private static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : (Iterable<Path>) files::iterator) {
        Path target = to.resolve(from.relativize(file).toString());
        if (Files.isDirectory(file)) {
          Files.createDirectories(target);
        } else {
          Files.copy(file, target, StandardCopyOption.COPY_ATTRIBUTES);
        }
      }
    }
  }
}
