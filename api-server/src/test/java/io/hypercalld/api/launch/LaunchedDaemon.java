package io.hypercalld.api.launch;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A daemon in a process of its own, started by the launcher and ready. */
public final class LaunchedDaemon implements AutoCloseable {
  private static final Pattern URL = Pattern.compile("\"url\":\"([^\"]+)\"");

  private final Process process;
  private final String readyLine;
  private final Duration startup;

  private LaunchedDaemon(Process process, String readyLine, Duration startup) {
    this.process = process;
    this.readyLine = readyLine;
    this.startup = startup;
  }

  /** The directory that holds the launcher: tests run in a module's. */
  public static Path home() {
    return Path.of("..").toAbsolutePath().normalize();
  }

  /** Starts {@code ./hypercalld} of this tree on a free port. */
  public static LaunchedDaemon start(String... options) throws IOException {
    return start(home().resolve("hypercalld"), home(), options);
  }

  /** As {@link #start(String...)}, with its standard error in a file. */
  static LaunchedDaemon logging(Path file, String... options) throws IOException {
    return start(
        home().resolve("hypercalld"), home(), ProcessBuilder.Redirect.to(file.toFile()), options);
  }

  /** Starts a launcher from a working directory, on a free port unless the options name one. */
  public static LaunchedDaemon start(Path launcher, Path workingDirectory, String... options)
      throws IOException {
    return start(launcher, workingDirectory, ProcessBuilder.Redirect.INHERIT, options);
  }

  private static LaunchedDaemon start(
      Path launcher, Path workingDirectory, ProcessBuilder.Redirect errors, String... options)
      throws IOException {
    List<String> command = new ArrayList<>(List.of(launcher.toString()));
    command.addAll(List.of(options));
    if (!command.contains("--port")) {
      command.addAll(List.of("--port", "0"));
    }
    long begin = System.nanoTime();
    Process process =
        new ProcessBuilder(command)
            .directory(workingDirectory.toFile())
            .redirectError(errors)
            .start();
    String line = process.inputReader().readLine();
    if (line == null) {
      throw new IllegalStateException(command + " ended without a ready line");
    }
    return new LaunchedDaemon(process, line, Duration.ofNanos(System.nanoTime() - begin));
  }

  /** The line the daemon prints when it is ready. */
  public String readyLine() {
    return readyLine;
  }

  /** From the start of the launcher to the ready line. */
  public Duration startup() {
    return startup;
  }

  public long pid() {
    return process.pid();
  }

  /** Where it listens, as the ready line says. */
  public URI url() {
    Matcher matcher = URL.matcher(readyLine);
    if (!matcher.find()) {
      throw new IllegalStateException("no url in " + readyLine);
    }
    return URI.create(matcher.group(1));
  }

  /** What it answers to a GET. */
  public HttpResponse<String> get(String path) throws IOException, InterruptedException {
    try (HttpClient client = HttpClient.newHttpClient()) {
      return client.send(
          HttpRequest.newBuilder(url().resolve(path)).build(), BodyHandlers.ofString());
    }
  }

  /** Asks it to stop, and waits at most {@code patience}. The exit status. */
  public int stop(Duration patience) throws InterruptedException {
    process.destroy();
    if (!process.waitFor(patience.toMillis(), TimeUnit.MILLISECONDS)) {
      throw new IllegalStateException("still running after " + patience);
    }
    return process.exitValue();
  }

  /** Ends it as it stands. */
  void kill() throws InterruptedException {
    process.destroyForcibly().waitFor();
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }
}
