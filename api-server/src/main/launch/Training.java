import static java.util.concurrent.TimeUnit.SECONDS;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The last step of the build: starts the daemon, asks it a few things and stops it, so that its JVM
 * leaves an AOT cache of the classes a start needs. Then dates the application for the launcher.
 *
 * <p>The daemon starts without the cache too, only slower: a failure is said and not passed on. Run
 * from source: {@code java Training.java JVM_OPTIONS APPLICATION}.
 */
final class Training {
  private static final Pattern URL = Pattern.compile("\"url\":\"([^\"]+)\"");
  private static final long PATIENCE = 30;
  private static final List<String> QUESTIONS =
      List.of("/v1", "/v1/machine", "/v1/domains", "/v1/devices", "/v1/hypercalls", "/metrics");

  private final Path jvmOptions;
  private final Path application;
  private final Path jar;
  private final Path cache;
  private final Path log;

  private Training(Path jvmOptions, Path application) {
    this.jvmOptions = jvmOptions;
    this.application = application;
    this.jar = application.resolve("hypercalld.jar");
    this.cache = application.resolve("hypercalld.aot");
    this.log = application.resolve("training.log");
  }

  public static void main(String[] args) throws IOException, InterruptedException {
    Training training = new Training(Path.of(args[0]), Path.of(args[1]));
    if (!training.isDone()) {
      training.run();
    }
    Files.setLastModifiedTime(training.application, FileTime.from(Instant.now()));
  }

  /** Whether the cache is younger than all that it was made from. */
  private boolean isDone() throws IOException {
    if (Files.notExists(cache)) {
      return false;
    }
    FileTime made = Files.getLastModifiedTime(cache);
    try (Stream<Path> libraries = Files.list(application.resolve("lib"))) {
      return Stream.concat(libraries, Stream.of(jar, jvmOptions))
          .map(file -> file.toFile().lastModified())
          .allMatch(changed -> changed < made.toMillis());
    }
  }

  private void run() throws IOException, InterruptedException {
    Process daemon = start();
    Optional<String> url = firstUrl(daemon);
    if (url.isPresent()) {
      ask(url.get());
    }
    // Asked to stop, the JVM writes the cache on its way out.
    daemon.destroy();
    boolean ended = daemon.waitFor(60, SECONDS);
    daemon.destroyForcibly();
    if (url.isEmpty() || !ended || Files.notExists(cache)) {
      System.err.println("the training run went wrong, starts will be slower: see " + log);
    }
  }

  /** What the ready line says, while what the daemon says goes to the log; empty without one. */
  private Optional<String> firstUrl(Process daemon) {
    CompletableFuture<Optional<String>> url = new CompletableFuture<>();
    Thread.ofVirtual().start(() -> copy(daemon, url));
    return url.completeOnTimeout(Optional.empty(), PATIENCE, SECONDS).join();
  }

  private void copy(Process daemon, CompletableFuture<Optional<String>> url) {
    try (BufferedReader said = daemon.inputReader();
        PrintWriter kept = new PrintWriter(Files.newBufferedWriter(log), true)) {
      for (String line = said.readLine(); line != null; line = said.readLine()) {
        kept.println(line);
        Matcher ready = URL.matcher(line);
        if (ready.find()) {
          url.complete(Optional.of(ready.group(1)));
        }
      }
    } catch (IOException e) {
      System.err.println("the training run's output is lost: " + e.getMessage());
    }
    url.complete(Optional.empty());
  }

  private Process start() throws IOException {
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "@" + jvmOptions,
            "-XX:AOTCacheOutput=" + cache,
            "-jar",
            jar.toString(),
            "--port",
            "0")
        .redirectErrorStream(true)
        .start();
  }

  private static void ask(String url) throws IOException, InterruptedException {
    try (HttpClient client = HttpClient.newHttpClient()) {
      for (String question : QUESTIONS) {
        client.send(
            HttpRequest.newBuilder(URI.create(url + question)).build(), BodyHandlers.discarding());
      }
    }
  }
}
