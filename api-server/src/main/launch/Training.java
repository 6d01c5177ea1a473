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
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The last step of the build: starts the daemon, asks it a few things, once by the command line
 * too, and stops it, so that both JVMs leave an AOT cache of the classes a start needs. Then dates
 * the application for the launcher.
 *
 * <p>Both start without the cache too, only slower: a failure is said and not passed on. Run from
 * source: {@code java Training.java LAUNCH_DIRECTORY APPLICATION}.
 */
final class Training {
  private static final Pattern URL = Pattern.compile("\"url\":\"([^\"]+)\"");
  private static final long PATIENCE = 30;
  private static final List<String> QUESTIONS =
      List.of("/v1", "/v1/machine", "/v1/domains", "/v1/devices", "/v1/hypercalls", "/metrics");

  private final Path jvmOptions;
  private final Path clientOptions;
  private final Path application;
  private final Path jar;
  private final Path cache;
  private final Path clientCache;
  private final Path log;

  private Training(Path launch, Path application) {
    this.jvmOptions = launch.resolve("jvm.options");
    this.clientOptions = launch.resolve("client.options");
    this.application = application;
    this.jar = application.resolve("hypercalld.jar");
    this.cache = application.resolve("hypercalld.aot");
    this.clientCache = application.resolve("client.aot");
    this.log = application.resolve("training.log");
  }

  public static void main(String[] args) throws IOException, InterruptedException {
    Training training = new Training(Path.of(args[0]), Path.of(args[1]));
    if (!training.isDone()) {
      training.run();
    }
    Files.setLastModifiedTime(training.application, FileTime.from(Instant.now()));
  }

  /** Whether the caches are younger than all that they were made from. */
  private boolean isDone() throws IOException {
    if (Files.notExists(cache) || Files.notExists(clientCache)) {
      return false;
    }
    FileTime made = Files.getLastModifiedTime(clientCache);
    try (Stream<Path> libraries = Files.list(application.resolve("lib"))) {
      return Stream.concat(libraries, Stream.of(jar, jvmOptions, clientOptions))
          .map(file -> file.toFile().lastModified())
          .allMatch(changed -> changed < made.toMillis());
    }
  }

  private void run() throws IOException, InterruptedException {
    Process daemon = start();
    Optional<String> url = firstUrl(daemon);
    if (url.isPresent()) {
      ask(url.get());
      askByCommand(url.get());
    }
    // Asked to stop, the JVM writes the cache on its way out.
    daemon.destroy();
    boolean ended = daemon.waitFor(60, SECONDS);
    daemon.destroyForcibly();
    if (url.isEmpty() || !ended || Files.notExists(cache) || Files.notExists(clientCache)) {
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
    return trained(jvmOptions, cache, "--port", "0").start();
  }

  private void askByCommand(String url) throws IOException, InterruptedException {
    Path said = application.resolve("training-client.log");
    Process client =
        trained(clientOptions, clientCache, "domain", "list", "--url", url)
            .redirectOutput(said.toFile())
            .start();
    if (!client.waitFor(60, SECONDS)) {
      client.destroyForcibly();
    }
  }

  private ProcessBuilder trained(Path options, Path output, String... arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("@" + options);
    command.add("-XX:AOTCacheOutput=" + output);
    command.addAll(List.of("-jar", jar.toString()));
    command.addAll(List.of(arguments));
    return new ProcessBuilder(command).redirectErrorStream(true);
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
