package io.hypercalld.api.client;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.hypercalld.api.RunningDaemon;
import io.hypercalld.api.cli.StartOptions;
import io.hypercalld.api.platform.PlatformSource;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The default machine behind HTTP on a free port, and a command line that asks it. */
final class CommandedDaemon implements AutoCloseable {
  private final RunningDaemon daemon;

  /** What a command did. */
  record Ran(Exit exit, String out, String err) {
    List<String> lines() {
      return out.lines().toList();
    }
  }

  CommandedDaemon() {
    StartOptions start = StartOptions.parse(List.of("--port", "0"), Map.of());
    daemon =
        RunningDaemon.start(start.settings(), PlatformSource.named("two-socket").load().platform());
  }

  String url() {
    return daemon.url();
  }

  /** Runs a command whose words are given. */
  Ran run(String... words) {
    return run(Map.of(), "", words);
  }

  /** Runs a command line that has no quotes. */
  Ran line(String line) {
    return run(line.split(" ", -1));
  }

  /** Runs a command with variables beside those that name the daemon, and with standard input. */
  Ran run(Map<String, String> environment, String input, String... words) {
    Map<String, String> all = new HashMap<>(Map.of("HV_URL", daemon.url()));
    all.putAll(environment);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    Terminal terminal =
        new Terminal(
            new ByteArrayInputStream(input.getBytes(UTF_8)),
            new PrintStream(out, true, UTF_8),
            new PrintStream(err, true, UTF_8),
            _ -> {});
    Exit exit = Client.run(List.of(words), all, terminal);
    return new Ran(exit, out.toString(UTF_8), err.toString(UTF_8));
  }

  @Override
  public void close() {
    daemon.close();
  }
}
