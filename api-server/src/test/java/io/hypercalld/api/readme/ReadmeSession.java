package io.hypercalld.api.readme;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.hypercalld.api.launch.LaunchedDaemon;
import io.hypercalld.api.readme.Transcript.Step;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** One reader who types the commands of a transcript, on a port that is free here. */
final class ReadmeSession implements AutoCloseable {
  private static final String SHOWN_PORT = ":7780";

  private final Path directory = LaunchedDaemon.home();
  private final Path curlHome;
  private final String port;
  private Optional<LaunchedDaemon> daemon = Optional.empty();

  /** A session whose scratch directory exists. */
  ReadmeSession(Path scratch) throws IOException {
    // A terminal shows no progress meter; curl cannot know that this is meant to be one.
    Files.writeString(scratch.resolve(".curlrc"), "no-progress-meter\n");
    curlHome = scratch;
    try (ServerSocket socket = new ServerSocket(0)) {
      port = ":" + socket.getLocalPort();
    }
  }

  /** Runs the command. What it printed, as if on the port that the README shows. */
  String run(Step step) throws IOException, InterruptedException {
    String command = step.command().replace(SHOWN_PORT, port);
    return (step.startsDaemon() ? start(command) : bash(command)).replace(port, SHOWN_PORT);
  }

  private String start(String command) throws IOException {
    close();
    String[] options =
        Stream.concat(
                Arrays.stream(command.split("\\s+")).skip(1),
                Stream.of("--port", port.substring(1)))
            .toArray(String[]::new);
    var launched = LaunchedDaemon.start(directory.resolve("hypercalld"), directory, options);
    daemon = Optional.of(launched);
    return launched.readyLine();
  }

  private String bash(String command) throws IOException, InterruptedException {
    var builder =
        new ProcessBuilder("bash", "-c", command)
            .directory(directory.toFile())
            .redirectErrorStream(true)
            .redirectInput(Path.of("/dev/null").toFile());
    builder.environment().put("CURL_HOME", curlHome.toString());
    builder.environment().put("HV_URL", "http://127.0.0.1" + port);
    Process process = builder.start();
    String output = new String(process.getInputStream().readAllBytes(), UTF_8);
    process.waitFor(60, TimeUnit.SECONDS);
    return output;
  }

  @Override
  public void close() {
    daemon.ifPresent(LaunchedDaemon::close);
  }
}
